import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

// A small project of its own, so that planted mistakes never lie in the real tree.
const packageRoot = path.resolve(import.meta.dirname, '../..')
const MODULES = 25
let root: string

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'loom-layers-'))
  copyFileSync(path.join(packageRoot, 'tsconfig.json'), path.join(root, 'tsconfig.json'))
  symlinkSync(path.join(packageRoot, 'node_modules'), path.join(root, 'node_modules'))
  writeFileSync(path.join(root, 'package.json'), '{ "name": "loom", "type": "module" }')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}

const OTHERS = [
  'host/runtime/api.ts',
  'host/store/lmdb/index.ts',
  'host/actor/activation/a.ts',
  'test/a.ts',
  'bench/b.ts',
]

function writeGoodModules(): void {
  for (let at = 0; at < MODULES; at++) write(`host/base/m${at}.ts`, `export const m${at} = ${at}\n`)
  for (const file of OTHERS) write(file, 'export const a = 1\nexport type A = number\n')
}

function check(): { status: number | null; output: string } {
  const script = path.join(packageRoot, 'scripts/check-layers.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, root], {
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

test('a tree that keeps the layers passes', () => {
  writeGoodModules()
  write('host/server/s.ts', "import { a } from '../runtime/api.ts'\nexport const b = a\n")
  expect(check()).toEqual({
    status: 0,
    output: `layers: ${MODULES + OTHERS.length} modules, 0 violations\n`,
  })
})

const PLANTED: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['layer-base', 'host/base/value.ts', "export { a } from '../runtime/api.ts'\n"],
  ['layer-base', 'host/base/type.ts', "export type { A } from '../runtime/api.ts'\n"],
  ['layer-server', 'host/server/edge.ts', "export { a } from '../cli/c.ts'\n"],
  [
    'drivers-only-from-runtime',
    'host/journal/driver.ts',
    "export { a } from '../store/lmdb/index.ts'\n",
  ],
  ['room-actor-turn', 'host/actor/turn/t.ts', "export { a } from '../activation/a.ts'\n"],
  ['edges-see-runtime-and-base', 'host/cli/deep.ts', "export { a } from '../journal/j.ts'\n"],
  ['io-at-the-edges', 'host/actor/io.ts', "export { readFile } from 'node:fs/promises'\n"],
  ['host-imports-host-only', 'host/runtime/bench.ts', "export { a } from '../../bench/b.ts'\n"],
  ['guest-imports-guest-only', 'guest-sdk/host.ts', "export { a } from '../host/runtime/api.ts'\n"],
  ['no-cycle', 'host/base/c.ts', "import { b } from './cycle.ts'\nexport const c = b\n"],
]

test('each planted bad import is reported and fails the check', () => {
  writeGoodModules()
  write('host/cli/c.ts', 'export const a = 1\n')
  write('host/journal/j.ts', 'export const a = 1\n')
  write('host/base/cycle.ts', "import { c } from './c.ts'\nexport const b = c\n")
  for (const [, file, text] of PLANTED) write(file, text)
  const { status, output } = check()
  for (const [rule, file] of PLANTED) expect(output).toContain(`${rule}: ${file} -> `)
  expect(status).toBe(1)
})

test('a check that saw too few modules fails instead of passing', () => {
  write('host/base/only.ts', 'export const a = 1\n')
  const { status, output } = check()
  expect(output).toContain('saw only 1 modules')
  expect(status).toBe(1)
})
