// Aim: the committed conformance components are what their sources give. Method: hashes of both, written by
// scripts/build-conformance-fixtures.mjs, whose --check compiles them again where Rust is at hand.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const SOURCES = 'test/fixtures/guests/conformance'
const COMPONENTS = 'test/fixtures/components/conformance'
const REBUILD = 'run node scripts/build-conformance-fixtures.mjs'

const manifest = JSON.parse(readFileSync(`${COMPONENTS}/manifest.json`, 'utf8')) as Readonly<
  Record<'sources' | 'components', Readonly<Record<string, string>>>
>

function hashes(folder: string, name = (file: string): string => file): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'manifest.json')
    .map((entry) => path.join(entry.parentPath, entry.name))
  return Object.fromEntries(
    files.map((file) => [
      name(path.relative(folder, file)),
      createHash('sha256').update(readFileSync(file)).digest('hex'),
    ]),
  )
}

test('the sources are those that the components were built from', () => {
  expect(hashes(SOURCES), REBUILD).toEqual(manifest.sources)
})

test('the components are those that were built', () => {
  const built = hashes(COMPONENTS, (file) => path.basename(file, '.wasm'))
  expect(built, REBUILD).toEqual(manifest.components)
})
