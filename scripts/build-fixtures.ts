/**
 * Builds the sample actors and the test actors.
 *
 * Owns: test/fixtures/components/*.wasm with their manifest, and the derived WIT beside each actor's source.
 * With --check it writes nothing and fails when a committed file is not what its source gives.
 */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { BuildError, buildActor } from '../guest-sdk/assemblyscript/index.ts'
import type { Manifest } from './component-manifest.ts'
import { COMPONENTS, MANIFEST, manifestEntry, manifestText } from './component-manifest.ts'

const FIXTURE_FOLDERS = [
  'actors/bank',
  'actors/counter',
  'actors/quoter',
  'actors/rate-limiter',
  'test/fixtures/actors/echo',
  'test/fixtures/actors/faulty',
  'test/fixtures/actors/fetcher',
  'test/fixtures/actors/probe-assemblyscript',
]

/** Components that other scripts build; their entries are made of what is committed. */
const BUILT_ELSEWHERE = {
  libc: 'test/fixtures/guests/libc',
  'rust-std': 'test/fixtures/guests/rust-std',
}

/** Files of one actor, by path relative to the repository. */
async function buildFixture(folder: string): Promise<Map<string, Uint8Array>> {
  const name = path.basename(folder)
  const { component, wit } = await buildActor({ dir: folder, write: false })
  return new Map([
    [`${COMPONENTS}/${name}.wasm`, component],
    [`${folder}/${name}.wit`, Buffer.from(wit)],
  ])
}

async function isCurrent(file: string, contents: Uint8Array): Promise<boolean> {
  const committed = await readFile(file).catch(() => null)
  return committed !== null && Buffer.compare(committed, contents) === 0
}

async function buildAll(): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const manifest: Record<string, Manifest[string]> = {}
  for (const [name, folder] of Object.entries(BUILT_ELSEWHERE)) {
    manifest[`${name}.wasm`] = manifestEntry(folder, await readFile(`${COMPONENTS}/${name}.wasm`))
  }
  for (const folder of FIXTURE_FOLDERS) {
    for (const [file, contents] of await buildFixture(folder)) {
      files.set(file, contents)
      if (file.endsWith('.wasm')) manifest[path.basename(file)] = manifestEntry(folder, contents)
    }
  }
  return files.set(MANIFEST, Buffer.from(manifestText(manifest)))
}

async function main(): Promise<number> {
  const isCheck = process.argv.includes('--check')
  let stale = 0
  for (const [file, contents] of await buildAll()) {
    const current = await isCurrent(file, contents)
    if (!current && isCheck) {
      stale += 1
      console.error(`stale: ${file}; run node dist/scripts/build-fixtures.js`)
    } else if (!current) {
      await writeFile(file, contents)
    }
    console.log(`${current ? 'same' : isCheck ? 'STALE' : 'written'} ${file} ${contents.length}`)
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
