import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const BINARY = /\.(wasm|bin|mdb|gz|tgz|png)$/

/** What is, or is about to be, committed. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(root, file)))
const texts = new Map(
  files
    .filter((file) => !BINARY.test(file) && file !== 'package-lock.json')
    .map((file) => [file, readFileSync(path.join(root, file), 'utf8')]),
)
const pages = [...texts].filter(([file]) => file.endsWith('.md'))
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

/** `file:line: text` of every line that matches. */
function find(pattern: RegExp): string[] {
  return [...texts].flatMap(([file, text]) =>
    text
      .split('\n')
      .map((line, index) => ({ line, place: `${file}:${index + 1}` }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, place }) => `${place}: ${line.trim()}`),
  )
}

test('no file names a folder of somebody’s machine', () => {
  const folders = ['work', 'root', 'home', 'Users'].join('|')
  expect(find(new RegExp(`(^|[\\s'"\`(=:])/(${folders})/[\\w.-]+`))).toEqual([])
})

test('no file holds a reminder instead of the work', () => {
  const words = ['TO', 'FIX', 'XX'].map((start, at) => start + ['DO', 'ME', 'X'][at]).join('|')
  expect(find(new RegExp(`\\b(${words})\\b`))).toEqual([])
})

test('text files end with one newline and hold no carriage returns', () => {
  const bad = [...texts].filter(([, text]) => text !== '' && !/[^\n]\n$/.test(text))
  expect(bad.map(([file]) => file)).toEqual([])
  expect([...texts].filter(([, text]) => text.includes('\r')).map(([file]) => file)).toEqual([])
})

test('links between pages lead somewhere', () => {
  const broken = pages.flatMap(([file, text]) =>
    [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(path.join(root, path.dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  )
  expect(broken).toEqual([])
})

test('commands in pages exist', () => {
  const commands = readdirSync(path.join(root, 'host/cli/commands')).map((file) =>
    path.basename(file, '.ts'),
  )
  const shell = pages.flatMap(([file, text]) =>
    [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap((match) =>
      (match[1] ?? '').split('\n').map((line) => ({ file, line })),
    ),
  )
  const unknown = shell.filter(({ line }) => {
    const [, loom] = /^(?:npx )?loom (\S+)/.exec(line) ?? []
    const [, script] = /^npm run (\S+)/.exec(line) ?? []
    return (
      (loom !== undefined && !commands.includes(loom)) ||
      (script !== undefined && manifest.scripts[script] === undefined)
    )
  })
  expect(shell.length).toBeGreaterThan(0)
  expect(unknown).toEqual([])
})

test('docs/dependencies.md gives a reason for each dependency, and for no other', () => {
  const page = texts.get('docs/dependencies.md') ?? ''
  const listed = [...page.matchAll(/^\| `([^`]+)` +\| \S/gm)].map((match) => match[1])
  const { dependencies, optionalDependencies, devDependencies } = manifest
  const used = [dependencies, optionalDependencies, devDependencies].flatMap(Object.keys)
  expect(listed.sort()).toEqual(used.sort())
})

test('package-lock.json is complete for every system, so that `npm ci` takes it', () => {
  const output = execFileSync(process.execPath, ['scripts/complete-lock.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(output).toBe('')
})
