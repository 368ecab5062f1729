/**
 * What the components of get-starlingmonkey.ts are built from, for it and for the tests that run them.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { STARLINGMONKEY_VERSION } from '../guest-sdk/javascript/starlingmonkey.ts'

/** Folders of actors that `loom build` builds. */
export const ACTORS = [
  'actors/counter-ts',
  'test/fixtures/guests/bank-js',
  'test/fixtures/guests/probe-js',
]
/** The folder of a component that is made without Loom. */
export const STRANGER = 'test/fixtures/guests/stranger'
/** Beside the components; written last. */
export const HASH_FILE = 'starlingmonkey.sha256'

const SDK = 'guest-sdk/javascript'

/** Where the engine and the components are; LOOM_GUEST_CACHE names another folder. */
export function guestCache(): string {
  return process.env.LOOM_GUEST_CACHE ?? path.join(os.homedir(), '.cache/loom-guests')
}

/** A hash of everything that goes into the components. */
export function sourcesHash(): string {
  const hash = createHash('sha256').update(STARLINGMONKEY_VERSION)
  for (const folder of [...ACTORS, STRANGER, SDK]) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const files = names.filter(
      (name) => /\.(ts|js|wit)$/.test(name) && !/^(build|test)\b/.test(name),
    )
    for (const name of files.sort())
      hash.update(`${folder}/${name}\n`).update(readFileSync(path.join(folder, name)))
  }
  return hash.digest('hex')
}
