// Aim: what `loom new` writes in each language builds, tests and satisfies an editor as it is, and `loom build --watch`
// builds an edit of it. Method: the real command makes the project; node_modules are links to this repository's
// packages, those that its package.json names and no others. AssemblyScript: test/e2e/new.test.ts and watch.test.ts.
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findToolchain } from '../../guest-sdk/rust/toolchain.ts'
import { loadComponent } from '../../host/component/load.ts'
import { HostAnswers, startGuest } from '../support/guests.ts'
import { LineProcess } from '../support/line-process.ts'
import { type NewProject, newProject } from '../support/new-project.ts'
import { PACKAGE_ROOT, run } from '../support/processes.ts'

const MAIN = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')
const TSC = path.join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc')

/** What the component of the next build gives for an increment by 5 and one by 1. */
async function answers(watch: LineProcess): Promise<unknown[]> {
  const line = await watch.line()
  expect(line, watch.errors).not.toBe('')
  const { component } = JSON.parse(line) as { readonly component: string }
  const loaded = await loadComponent(readFileSync(component))
  const guest = startGuest(loaded, new HostAnswers())
  return [guest.call('increment', 5), guest.call('increment', 1), guest.call('value')]
}

/** Builds, tests, edits, and builds again, in one process that stays. */
async function tryOut(
  { dir }: NewProject,
  edit: { readonly file: string; readonly old: string; readonly new: string },
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const watch = new LineProcess([process.execPath, MAIN, 'build', dir, '--watch', '--json'], env)
  onTestFinished(() => watch.kill())
  expect(await answers(watch)).toEqual([5n, 6n, 6n])
  const tested = await run('node', ['--test'], { cwd: dir })
  expect([tested.code, tested.stdout]).toEqual([0, expect.stringContaining('pass 2')])

  const file = path.join(dir, edit.file)
  const source = readFileSync(file, 'utf8')
  expect(source).toContain(edit.old)
  writeFileSync(file, source.replace(edit.old, edit.new))
  expect(await answers(watch)).toEqual([10n, 12n, 12n])
  watch.send('SIGINT')
  await watch.exited()
  expect([watch.exitCode, watch.errors]).toEqual([0, ''])
}

test.each([
  ['typescript', 'rate-counter.ts'],
  ['javascript', 'rate-counter.js'],
])(
  'a new project in %s builds, tests, type-checks, and is built again',
  {
    timeout: 240_000,
  },
  async (language, file) => {
    const project = await newProject(language)
    await tryOut(project, { file, old: '+ BigInt(by)', new: '+ 2n * BigInt(by)' })
    const checked = await run('node', [TSC, '--noEmit'], { cwd: project.dir })
    expect([checked.code, checked.stdout]).toEqual([0, ''])
    // The declarations that the build wrote are what is checked against.
    const source = readFileSync(path.join(project.dir, file), 'utf8')
    writeFileSync(path.join(project.dir, file), source.replace('return total\n', 'return 1\n'))
    const refused = await run('node', [TSC, '--noEmit'], { cwd: project.dir })
    expect(refused.stdout).toContain("is not assignable to type 'bigint")
  },
)

test('a new project in C builds, tests, and is built again', { timeout: 240_000 }, async () => {
  const project = await newProject('c')
  const { dir } = project
  await tryOut(project, { file: 'rate-counter.c', old: 'total += by', new: 'total += 2 * by' })
  // As clangd does, which reads compile_flags.txt.
  const flags = readFileSync(path.join(dir, 'compile_flags.txt'), 'utf8').trim().split('\n')
  const args = [...flags, '-Werror', '-fsyntax-only', 'rate-counter.c']
  const checked = spawnSync('cc', args, { cwd: dir, encoding: 'utf8' })
  if (checked.error !== undefined)
    process.stderr.write(`compile_flags.txt was not tried: ${checked.error}\n`)
  else expect([checked.status, checked.stderr]).toEqual([0, ''])
})

const rust = await findToolchain('.').catch((error: Error) => {
  process.stderr.write(`no new project in Rust is built: ${error.message}\n`)
  return null
})

test.runIf(rust !== null)(
  'a new project in Rust builds, tests, and is built again',
  {
    timeout: 600_000,
  },
  async () => {
    const project = await newProject('rust')
    // The crates that this repository has compiled already; the project would choose the newest.
    copyFileSync('Cargo.lock', path.join(project.dir, 'Cargo.lock'))
    await tryOut(
      project,
      { file: 'src/lib.rs', old: 'u64::from(by)', new: '2 * u64::from(by)' },
      { CARGO_TARGET_DIR: path.join(PACKAGE_ROOT, 'target') },
    )
  },
)
