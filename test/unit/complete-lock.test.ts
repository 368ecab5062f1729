// Aim: the script that completes package-lock.json sees a missing platform package also where another version of it
// stands. Method: small locks, and the script itself.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/processes.ts'

const OF_TOOL = { optionalDependencies: { '@tool/linux-x64': '2.0.0' } }

function complete(packages: object, ...flags: readonly string[]): [number | null, object] {
  const file = path.join(temporaryFolder(), 'package-lock.json')
  writeFileSync(file, JSON.stringify({ packages }))
  const { status } = spawnSync('node', ['scripts/complete-lock.mjs', ...flags, file])
  return [status, JSON.parse(readFileSync(file, 'utf8')).packages]
}

const ADDED = { version: '2.0.0', cpu: ['x64'], os: ['linux'], optional: true }

test('a package that is there in the version that is asked for is left alone', () => {
  const packages = {
    'node_modules/@tool/linux-x64': { version: '2.0.0' },
    'node_modules/tool': { version: '2.0.0', ...OF_TOOL },
  }
  expect(complete(packages)).toEqual([0, packages])
})

test('one that is missing is added beside who asks for it', () => {
  const packages = { 'node_modules/tool': { version: '2.0.0', ...OF_TOOL } }
  const [, completed] = complete(packages)
  expect(completed).toEqual({ ...packages, 'node_modules/@tool/linux-x64': ADDED })
  expect(complete(packages, '--check')).toEqual([1, packages])
})

test('one that is there in another version only is added for who asks for it', () => {
  const packages = {
    'node_modules/@tool/linux-x64': { version: '1.0.0' },
    'node_modules/tool': { version: '2.0.0', ...OF_TOOL },
  }
  const [, completed] = complete(packages)
  expect(completed).toEqual({
    ...packages,
    'node_modules/tool/node_modules/@tool/linux-x64': ADDED,
  })
})
