// Components on StarlingMonkey, which are not committed: they have 12 MB each. scripts/get-starlingmonkey.ts installs
// the engine and builds them; where it has not run, or something that goes into them has changed since, the tests that
// need them are left out and say why. In CI that is a failure.
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { guestCache, HASH_FILE, sourcesHash } from '../../scripts/starlingmonkey-sources.ts'
import type { Language } from './guests.ts'

const cache = guestCache()

function reason(): string | null {
  const file = path.join(cache, HASH_FILE)
  if (!existsSync(file)) return 'is not installed'
  return readFileSync(file, 'utf8') === sourcesHash() ? null : 'was built from other sources'
}

/** Why there are no components; null where there are. */
export const absence = reason()

/** `name`'s component, absolute. */
export const starlingMonkeyComponent = (name: string): string => path.join(cache, `${name}.wasm`)

/** Lets builds in `dir` find the engine. */
export function linkStarlingMonkey(dir: string): void {
  symlinkSync(path.join(cache, 'node_modules'), path.join(dir, 'node_modules'))
}

/** The guests of the suites that all languages pass. */
export const STARLINGMONKEY: readonly Language[] =
  absence === null
    ? [
        {
          language: 'JavaScript on StarlingMonkey',
          counter: starlingMonkeyComponent('counter-ts'),
          bank: starlingMonkeyComponent('bank-js'),
          probe: starlingMonkeyComponent('probe-js'),
          isInterpreted: true,
        },
      ]
    : []

/** Prints why the tests of `suite` that need StarlingMonkey are left out, if they are. */
export function sayAbsence(suite: string): void {
  if (absence === null) return
  if (process.env.CI === 'true') throw new Error(`${suite}: StarlingMonkey ${absence}`)
  process.stdout.write(
    `${suite}: StarlingMonkey ${absence} and left out; node dist/scripts/get-starlingmonkey.js builds it\n`,
  )
}
