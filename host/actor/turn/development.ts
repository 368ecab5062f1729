/**
 * Development check: every turn of a TypeScript actor that returned is run again at once, on a second body with
 * the state of before, from what it recorded.
 *
 * Guarantee: a turn whose replay would differ fails where it is written, and not after a crash.
 *
 * Owns: the second run and what its difference is called. Does not own: replaying (turn-engine.ts).
 */
import { isLoomError, LoomError } from '../../base/errors.ts'
import { NO_EFFECTS, type TurnEntry } from '../../journal/entry.ts'
import { watch } from './bypasses.ts'
import type { LiveTurn, TurnResult } from './turn-step.ts'

/** An engine that can replay, as this file needs it. */
export interface ShadowEngine {
  restore(image: Uint8Array): void
  replay(seq: number, entry: TurnEntry, method: LiveTurn['method']): void | Promise<void>
  stateHash(): string
}

export class DevelopmentCheck {
  readonly #start: () => ShadowEngine

  constructor(start: () => ShadowEngine) {
    this.#start = start
  }

  /** The result, or the failure that stands for it. `before`: image of the state that the turn began with. */
  async check(
    turn: LiveTurn,
    result: TurnResult,
    before: Uint8Array,
    stateHash: string,
  ): Promise<TurnResult> {
    const { outcome, calls, effects, invocationId } = result
    if (outcome.kind === 'failed') return result
    const { method, args, idempotencyKey, caller } = turn
    const head = { atMs: 0, idempotencyKey, invocationId, method: method.name, args, caller }
    const entry: TurnEntry = { kind: 'turn', ...head, calls, effects, outcome }
    const called = new Set<string>()
    const run = async (): Promise<void> => {
      const shadow = this.#start()
      shadow.restore(before)
      await shadow.replay(0, entry, method)
      if (shadow.stateHash() !== stateHash)
        throw new LoomError('ERR_DIVERGENCE', 'it leaves another state')
    }
    try {
      await watch(run, called)
      return result
    } catch (error) {
      const failed = { kind: 'failed', code: 'ERR_DIVERGENCE' } as const
      const message = describe(method.name, error, called)
      const what = { calls, effects: NO_EFFECTS, invocationId, unfaithful: true } as const
      return { kind: 'finished', ...what, outcome: { ...failed, message } }
    }
  }
}

function describe(method: string, error: unknown, called: ReadonlySet<string>): string {
  const data = isLoomError(error) ? error.data : {}
  const reason = error instanceof Error ? error.message : String(error)
  const difference =
    'expected' in data
      ? `it gave ${data.expected}, its replay ${data.got}`
      : `its replay: ${reason}`
  const names = [...called].join(', ')
  const advice =
    names === ''
      ? 'something outside of this.state and this.context differed, such as a variable of the module'
      : `it called ${names}: ask this.context instead`
  return `${method} would not replay: ${difference}; ${advice}`
}
