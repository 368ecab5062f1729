import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { COUNTER } from '../support/actors.ts'
import { PACKAGE_ROOT, run, temporaryFolder } from '../support/processes.ts'

// Needs the npm registry or a warm npm cache: a packed loom brings its own dependencies.
const PROGRAM = `
import { readFileSync } from 'node:fs'
import { Actor, createRuntime, isLoomError, openDataFolder } from 'loom'

class Greeter extends Actor {
  static initialState = { greeted: 0 }
  greet(name) {
    this.updateState({ greeted: this.state.greeted + 1 })
    return \`hello \${name}, number \${this.state.greeted}\`
  }
}

const runtime = await createRuntime(openDataFolder('./data'))
await runtime.registerActorType('Counter', { type: 'wasm', component: readFileSync('counter.wasm') })
await runtime.registerActorType('Greeter', { type: 'typescript', actorClass: Greeter })
const counter = await runtime.getActor('c1', 'Counter')
const greeter = await runtime.getActor('g1', 'Greeter')
const refused = await counter.call('increment', -1).catch((error) => isLoomError(error) && error.code)
console.log(String(await counter.call('increment', 5)), await greeter.call('greet', 'ada'), refused)
await runtime.close()
`

const TYPED = `
import { createRuntime, type ActorHandle, memory, fsBlobs } from 'loom'
const runtime = await createRuntime({ store: memory(), blobs: fsBlobs('./blobs') })
const handle: ActorHandle = await runtime.getActor('c1', 'Counter')
// @ts-expect-error: options are typed
await createRuntime({ store: 5 })
export { handle }
`

test('the packed package works in an empty project with plain Node', {
  timeout: 300_000,
}, async () => {
  const folder = temporaryFolder()
  const packed = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    {
      cwd: PACKAGE_ROOT,
    },
  )
  expect(packed.code, packed.stderr).toBe(0)
  const [{ filename, files }] = JSON.parse(packed.stdout)
  const paths: string[] = files.map((file: { path: string }) => file.path)
  for (const needed of [
    'dist/host/index.js',
    'dist/host/index.d.ts',
    'dist/host/cli/main.js',
    'LICENSE',
    'README.md',
    ...['assemblyscript', 'c', 'javascript', 'rust', 'typescript'].map(
      (language) => `guest-sdk/template/${language}/template.json`,
    ),
  ])
    expect(paths).toContain(needed)
  expect(
    paths.filter((file) => /^(dist\/)?(test|bench|scripts|actors)|\.stamp$/.test(file)),
  ).toEqual([])

  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund']
  const installed = await run('npm', [...install, `./${filename}`], { cwd: folder })
  expect(installed.code, installed.stderr).toBe(0)

  writeFileSync(path.join(folder, 'counter.wasm'), readFileSync(COUNTER))
  writeFileSync(path.join(folder, 'program.js'), PROGRAM)
  const first = await run('node', ['program.js'], { cwd: folder })
  expect(first).toEqual({
    code: 0,
    stdout: '5 hello ada, number 1 ERR_ARGUMENT_TYPE\n',
    stderr: '',
  })
  const second = await run('node', ['program.js'], { cwd: folder })
  expect(second.stdout).toBe('10 hello ada, number 2 ERR_ARGUMENT_TYPE\n')

  const loom = (...args: string[]) => run('npx', ['loom', ...args], { cwd: folder })
  const help = await loom('--help')
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('Usage: loom')])
  // A project made by it installs the same package, which no registry has.
  expect((await loom('new', 'made/my-actor', '--lang', 'c')).code).toBe(0)
  const made = JSON.parse(readFileSync(path.join(folder, 'made/my-actor/package.json'), 'utf8'))
  expect(made.devDependencies.loom).toBe(`file:../../${filename}`)
  const called = await loom('call', 'Counter/c2', 'increment', '3', '--data', 'data')
  expect(called.stderr).toContain('ERR_TYPE_UNKNOWN')
  expect((await loom('push', 'counter.wasm', '--type', 'Counter', '--data', 'data')).code).toBe(0)
  expect((await loom('call', 'Counter/c1', 'increment', '3', '--data', 'data')).stdout).toBe('13\n')
  const build = ['build', path.join(PACKAGE_ROOT, 'actors/counter'), '--out', 'built']
  expect((await loom(...build)).code).toBe(0)
  expect(readFileSync(path.join(folder, 'built/counter.wasm'))).toEqual(readFileSync(COUNTER))
  // Compilers are optional: without them only `build` is missing.
  rmSync(path.join(folder, 'node_modules/assemblyscript'), { recursive: true })
  const refused = await loom(...build)
  expect([refused.code, refused.stderr]).toEqual([69, expect.stringContaining('ERR_TOOLCHAIN')])

  writeFileSync(path.join(folder, 'typed.ts'), TYPED)
  const tsc = path.join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc')
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
  ]
  const types = ['--typeRoots', path.join(PACKAGE_ROOT, 'node_modules/@types')]
  const checked = await run('node', [tsc, ...flags, ...types, 'typed.ts'], { cwd: folder })
  expect([checked.code, checked.stdout]).toEqual([0, ''])
})
