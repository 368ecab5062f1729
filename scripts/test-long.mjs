// The long form of the tests that repeat: kills, faults, simulation. More by LOOM_LONG; folders as arguments.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'

const FOLDERS = ['test/fault', 'test/sim', 'test/differential', 'test/replay']
const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
)
const given = process.argv.slice(2)
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    '--no-file-parallelism',
    '--testTimeout=3600000',
    ...(given.length > 0 ? given : FOLDERS),
  ],
  { stdio: 'inherit', env: { ...process.env, LOOM_LONG: process.env.LOOM_LONG ?? '20' } },
)
process.exitCode = status ?? 1
