/**
 * Builds the sample actors and the test actors.
 *
 * Owns: test/fixtures/components/*.wasm, and the derived WIT beside each actor's source.
 * With --check it writes nothing and fails when a committed file is not what its source gives.
 */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { BuildError, buildActor } from '../guest-sdk/assemblyscript/index.ts'

const FIXTURE_FOLDERS = [
  'actors/counter',
  'actors/quoter',
  'test/fixtures/actors/echo',
  'test/fixtures/actors/faulty',
]

/** Files of one actor, by path relative to the repository. */
async function buildFixture(folder: string): Promise<Map<string, Uint8Array>> {
  const name = path.basename(folder)
  const { component, wit } = await buildActor({ dir: folder, write: false })
  return new Map([
    [`test/fixtures/components/${name}.wasm`, component],
    [`${folder}/${name}.wit`, Buffer.from(wit)],
  ])
}

async function isCurrent(file: string, contents: Uint8Array): Promise<boolean> {
  const committed = await readFile(file).catch(() => null)
  return committed !== null && Buffer.compare(committed, contents) === 0
}

async function main(): Promise<number> {
  const isCheck = process.argv.includes('--check')
  let stale = 0
  for (const folder of FIXTURE_FOLDERS) {
    for (const [file, contents] of await buildFixture(folder)) {
      const current = await isCurrent(file, contents)
      if (!current && isCheck) {
        stale += 1
        console.error(`stale: ${file}; run node dist/scripts/build-fixtures.js`)
      } else if (!current) {
        await writeFile(file, contents)
      }
      console.log(`${current ? 'same' : isCheck ? 'STALE' : 'written'} ${file} ${contents.length}`)
    }
  }
  return stale === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  for (const { file, line, column, message } of error.mistakes) {
    console.error(`${file}:${line}:${column}: ${message}`)
  }
  process.exitCode = 65
}
