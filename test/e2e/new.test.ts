// Aim: what `loom new` writes builds, tests and type-checks as it is. Method: a new project whose node_modules
// are links to this repository's, as npm makes them. Other languages: test/guest/new-projects.test.ts.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { newProject } from '../support/new-project.ts'
import { PACKAGE_ROOT, run, temporaryFolder } from '../support/processes.ts'

test('a new AssemblyScript project builds, tests and type-checks', {
  timeout: 300_000,
}, async () => {
  const { dir: project, files, scripts } = await newProject('assemblyscript')
  expect(files).toContain('rate-counter.ts')
  expect(scripts).toMatchObject({ build: 'loom build .', test: 'loom build . && node --test' })
  const main = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')
  const at = { cwd: project }
  const built = await run('node', [main, 'build', '.'], at)
  expect([built.code, built.stdout]).toEqual([
    0,
    expect.stringContaining('built build/rate-counter.wasm'),
  ])
  const checked = await run('node', [main, 'build', '.', '--check'], at)
  expect([checked.code, checked.stdout]).toEqual([
    0,
    'same interface example:rate-counter/rate-counter@0.1.0\n',
  ])
  const tested = await run('node', ['--test'], at)
  expect([tested.code, tested.stdout]).toEqual([0, expect.stringContaining('pass 2')])
  const tsc = path.join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc')
  const types = await run('node', [tsc, '--noEmit'], at)
  expect([types.code, types.stdout]).toEqual([0, ''])

  const entry = path.join(project, 'rate-counter.ts')
  const source = readFileSync(entry, 'utf8')
  writeFileSync(entry, source.replace('increment(by: u32)', 'increment(by: u64)'))
  const changed = await run('node', [main, 'build', '.', '--check'], at)
  expect(changed.code).not.toBe(0)
  expect(changed.stderr).toContain(
    "rate-counter.wit:6:1: committed: 'increment: func(by: u32) -> u64;', by the source: " +
      "'increment: func(by: u64) -> u64;'; if that is meant, run: loom build --save-wit",
  )
  expect((await run('node', [main, 'build', '.', '--save-wit'], at)).code).toBe(0)
  expect((await run('node', [main, 'build', '.', '--check'], at)).code).toBe(0)
})

test.each([
  [['Counter'], 'expected lower-case words with hyphens'],
  [
    ['counter', '--lang', 'cobol'],
    'expected one of assemblyscript, c, javascript, rust, typescript',
  ],
  [['taken'], 'taken exists and is not empty; nothing was written'],
])('loom new %j is refused, and writes nothing', async (args, message) => {
  const folder = temporaryFolder()
  mkdirSync(path.join(folder, 'taken'))
  writeFileSync(path.join(folder, 'taken/file'), 'mine')
  const main = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')
  const { code, stderr } = await run('node', [main, 'new', ...args], { cwd: folder })
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['taken', 'taken/file'])
})
