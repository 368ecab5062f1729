/**
 * Denied interfaces: what run-time libraries import and actors do not get.
 *
 * Owns: what every function of such an interface answers. Does not own: which interfaces are denied.
 *
 * Dropping what one has is always allowed. A component may import them, so that it starts; a call gets the error code that says "not allowed" where
 * the function's type has one, and fails the turn where it has none.
 */
import { LoomError } from '../base/errors.ts'
import type { WitType, WitValue } from '../component/wit/wit.ts'
import type { FunctionAnswer } from './host-interface.ts'

/** In order of preference, as the error codes of WASI 0.2 packages spell it. */
const CODES = ['access-denied', 'access', 'not-permitted', 'not-supported', 'unsupported']

function deniedCode(err: WitType | null): WitValue {
  if (err?.kind === 'enum') return CODES.find((code) => err.cases.includes(code))
  if (err?.kind !== 'variant') return undefined
  const tag = CODES.find((code) =>
    err.cases.some(({ name, type }) => name === code && type === null),
  )
  return tag === undefined ? undefined : { tag }
}

export const deniedFunction: FunctionAnswer = (name, { name: short, result }) => {
  if (short.startsWith('[resource-drop]')) return { kind: 'pure', perform: () => undefined }
  const code = result?.kind === 'result' ? deniedCode(result.err) : undefined
  if (code !== undefined) return { kind: 'pure', perform: () => ({ tag: 'err', val: code }) }
  return {
    kind: 'pure',
    perform: () => {
      throw new LoomError('ERR_HOST_CALL', `${name} is denied: actors have no such access`)
    },
  }
}
