// Aim: a committed component whose source has changed since is noticed, whatever language it is written in.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COMPONENTS, readManifest } from '../../scripts/component-manifest.ts'

const manifest = readManifest()

function hashOf(file: string): string {
  return `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`
}

test('every committed component is in a manifest', () => {
  const files = readdirSync(COMPONENTS).filter((file) => file.endsWith('.wasm'))
  const guests = JSON.parse(readFileSync(`${COMPONENTS}/guests.json`, 'utf8')) as { name: string }[]
  const names = [...Object.keys(manifest), ...guests.map(({ name }) => `${name}.wasm`)]
  expect(names.sort()).toEqual(files.sort())
})

describe.each(Object.entries(manifest))('%s', (name, { digest, sources }) => {
  test('is what was built, from the sources that are there', () => {
    expect(hashOf(`${COMPONENTS}/${name}`)).toBe(digest)
    expect(Object.keys(sources)).not.toEqual([])
    for (const [file, hash] of Object.entries(sources)) {
      expect([file, hashOf(file)]).toEqual([file, hash])
    }
  })
})
