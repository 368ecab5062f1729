/**
 * Divergences of host calls and effects, in words (J4).
 */
import { LoomError } from '../base/errors.ts'
import type { Effect, RecordedCall } from '../journal/entry.ts'

type CallHead = Pick<RecordedCall, 'target' | 'argsHash'>

function describe(call: CallHead | undefined): string {
  if (call === undefined) return 'no further host call'
  return `${call.target} (arguments ${call.argsHash.toString(16).padStart(8, '0')})`
}

export function divergence(
  call: number,
  expected: CallHead | undefined,
  got: CallHead | undefined,
): LoomError {
  return new LoomError(
    'ERR_DIVERGENCE',
    `host call ${call}: expected ${describe(expected)}, got ${describe(got)}`,
    { data: { call, expected: describe(expected), got: describe(got) } },
  )
}

export function effectDivergence(
  index: number,
  expected: Effect | undefined,
  got: Effect | undefined,
): LoomError {
  const texts = { expected: describeEffect(expected), got: describeEffect(got) }
  return new LoomError(
    'ERR_DIVERGENCE',
    `effect ${index}: expected ${texts.expected}, got ${texts.got}`,
    { data: { effect: index, ...texts } },
  )
}

const EFFECT_SHOWN_LENGTH_MAX = 200

function describeEffect(effect: Effect | undefined): string {
  if (effect === undefined) return 'no further effect'
  const text = JSON.stringify(effect, (_, item) => (typeof item === 'bigint' ? `${item}` : item))
  return text.length > EFFECT_SHOWN_LENGTH_MAX ? `${text.slice(0, EFFECT_SHOWN_LENGTH_MAX)}…` : text
}
