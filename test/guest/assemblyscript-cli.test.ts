import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withActor } from './actor-folder.ts'

const CLI = 'dist/guest-sdk/assemblyscript/cli.js'
const counter = path.resolve('actors/counter/counter.ts')
let out: string

beforeAll(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'loom-out-'))
})

afterAll(() => rm(out, { recursive: true, force: true }))

function run(
  args: readonly string[],
  cli = CLI,
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
  })
  expect(`${stdout}${stderr}`).not.toMatch(/^\s+at /m)
  return { code: status, out: stdout, err: stderr }
}

describe('the build as a process', () => {
  test('prints one line about the component', async () => {
    const { code, out: line } = run(['actors/counter', '--out', out])
    expect(line).toBe(`built ${out}/counter.wasm (5.1 KB, loom:counter/counter@0.1.0)\n`)
    expect(code).toBe(0)
    const fixture = await readFile('test/fixtures/components/counter.wasm')
    expect(Buffer.compare(await readFile(`${out}/counter.wasm`), fixture)).toBe(0)
    expect(await readFile(`${out}/counter.wit`, 'utf8')).toContain(
      'increment: func(by: u32) -> u64;',
    )
  })

  test('prints one JSON object when it is asked to', () => {
    const json = `${out}/json`
    const { code, out: line } = run(['actors/counter', '--json', '--out', json])
    expect(JSON.parse(line)).toEqual({
      ok: true,
      unchanged: false,
      component: `${json}/counter.wasm`,
      wit: `${json}/counter.wit`,
      sizeBytes: 5238,
      interface: 'loom:counter/counter@0.1.0',
      warnings: [],
    })
    expect(code).toBe(0)
  })

  test('exits with 65 for a mistake of the author, and writes nothing', async () => {
    const source = '@component("a:b/c@1.0.0")\nexport class A { f(v: usize): void {} }'
    await withActor({ 'a.ts': source }, async (dir) => {
      const message = "'usize' has no component type; use a type of fixed size"
      const mistake = { message, file: `${dir}/a.ts`, line: 2, column: 23 }
      const plain = run([dir])
      expect(plain).toEqual({ code: 65, out: '', err: `${dir}/a.ts:2:23: ${message}\n` })
      const json = run([dir, '--json'])
      expect(JSON.parse(json.out)).toEqual({ ok: false, error: mistake, mistakes: [mistake] })
      expect(json.code).toBe(65)
      await expect(readFile(`${dir}/build/a.wasm`)).rejects.toThrow('ENOENT')
    })
  })

  test('compares the committed WIT, or writes it', { timeout: 240_000 }, async () => {
    const source = '@component("a:b/c@1.0.0")\nexport class A { f(v: u8): void {} }'
    await withActor({ 'a.ts': source }, async (dir) => {
      const wit = `${dir}/${path.basename(dir)}.wit`
      const none = 'there is no committed WIT; write it with: loom build --save-wit'
      expect(run([dir, '--check'])).toMatchObject({ code: 65, err: `${wit}:1:1: ${none}\n` })
      expect(run([dir, '--save-wit']).code).toBe(0)
      expect(await readFile(wit, 'utf8')).toContain('  f: func(v: u8);\n')
      expect(run([dir, '--check']).code).toBe(0)
      await writeFile(`${dir}/a.ts`, source.replace('u8', 'u16'))
      const { code, err } = run([dir, '--check'])
      expect([code, err]).toEqual([
        65,
        `${wit}:4:1: committed: 'f: func(v: u8);', by the source: 'f: func(v: u16);'; ` +
          'if that is meant, run: loom build --save-wit\n',
      ])
    })
  })

  test('exits with 65 when there is no such folder', () => {
    expect(run(['actors/nothing'])).toMatchObject({
      code: 65,
      err: 'actors/nothing:1:1: no such folder\n',
    })
  })

  test.each([
    [[]],
    [['a', 'b']],
    [['a', '--colour']],
    [['a', '--check', '--save-wit']],
    [['a', '--check', '--resident']],
  ])('exits with 2 for %j', (args) => {
    const { code, err } = run(args)
    expect(code).toBe(2)
    expect(err).toContain(
      'usage: <dir> [--json] [--out DIR] [--engine NAME] [--check | --save-wit | --resident]',
    )
  })
})

describe('the package as npm installs it', () => {
  let installed: string

  beforeAll(async () => {
    installed = await mkdtemp(path.join(tmpdir(), 'loom-package-'))
    for (const part of ['dist/guest-sdk', 'guest-sdk/assemblyscript/assembly', 'wit']) {
      await cp(part, path.join(installed, part), { recursive: true })
    }
    for (const file of ['asconfig.json', 'package.json']) {
      await cp(file, path.join(installed, file))
    }
  })

  afterAll(() => rm(installed, { recursive: true, force: true }))

  test('says what to install when the build tools are missing', () => {
    const { code, err } = run([path.dirname(counter)], path.join(installed, CLI))
    expect(err).toBe(
      'assemblyscript is not installed; run: npm install --save-dev assemblyscript\n',
    )
    expect(code).toBe(69)
  })

  test('says so too when only the component tools are missing', async () => {
    await mkdir(path.join(installed, 'node_modules'))
    await symlink(
      path.resolve('node_modules/assemblyscript'),
      path.join(installed, 'node_modules/assemblyscript'),
    )
    const { code, out: line } = run([path.dirname(counter), '--json'], path.join(installed, CLI))
    const name = '@bytecodealliance/jco-transpile'
    const message = `${name} is not installed; run: npm install --save-dev ${name}`
    expect(JSON.parse(line)).toEqual({
      ok: false,
      error: { message, file: null, line: null, column: null },
      mistakes: [],
    })
    expect(code).toBe(69)
    await rm(path.join(installed, 'node_modules'), { recursive: true })
  })

  test('builds the same component from another place', async () => {
    await symlink(path.resolve('node_modules'), path.join(installed, 'node_modules'))
    const target = path.join(out, 'installed')
    const { code } = run([path.dirname(counter), '--out', target], path.join(installed, CLI))
    expect(code).toBe(0)
    const fixture = await readFile('test/fixtures/components/counter.wasm')
    expect(Buffer.compare(await readFile(`${target}/counter.wasm`), fixture)).toBe(0)
  })
})
