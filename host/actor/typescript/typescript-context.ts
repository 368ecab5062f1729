/**
 * The context of TypeScript actors: what one run of a method may ask the host for.
 *
 * Owns: each function's class (pure, recorded, calling, effect). Does not own: recording (hostcalls/), copies of what
 * enters and leaves, the end of the run (typescript-calls.ts).
 */
import { ERRORS, type ErrorCode, LoomError } from '../../base/errors.ts'
import { STATE_LIST_COUNT_MAX, TIME_MAX_MS } from '../../base/limits.ts'
import { checkActorId, checkStateKey, checkTypeName, parseActorKey } from '../../base/names.ts'
import { isThenable } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { HostCallContext } from '../../hostcalls/host-interface.ts'
import { randomUnit } from '../../hostcalls/loom-actor.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type {
  ActorContext,
  ActorTarget,
  Reminders,
  SimpleState,
  Timers,
} from './typescript-actor.ts'
import { type Calls, copyOf, handled, plain, Reach } from './typescript-calls.ts'
import { fetchOf } from './typescript-fetch.ts'
import { reminders, timers } from './typescript-ticks.ts'

function uuid(context: HostCallContext): string {
  const bytes = Buffer.from(context.random.bytes(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function checkedTarget({ type, id }: ActorTarget): ActorTarget {
  checkTypeName(type)
  checkActorId(id)
  return { type, id }
}

/** The outcome of a call as what is recorded of it, and back. */
function recordedOutcome(outcome: TurnOutcome): WitValue {
  return outcome.kind === 'returned'
    ? { tag: 'ok', val: outcome.value }
    : { tag: 'err', val: [outcome.code, outcome.message] }
}

/** Of most calls a number or a text, which needs no copy. */
function copiedOutcome(recorded: WitValue): WitValue {
  const { tag, val } = recorded as { readonly tag: string; readonly val: WitValue }
  return { tag, val: copyOf(val) }
}

function resultOf(recorded: WitValue): WitValue {
  const { tag, val } = recorded as { readonly tag: 'ok' | 'err'; readonly val: WitValue }
  if (tag === 'ok') return val
  const [code, message] = val as readonly [string, string]
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'ERR_HOST_CALL'
  throw new LoomError(known, message)
}

function simpleState(calls: Calls): SimpleState {
  const { context } = calls
  const get = (key: string): Promise<WitValue> => {
    const checked = checkStateKey(key)
    return calls.later('recorded', 'state.get', [checked], () => context.readState(checked))
  }
  return {
    get: <T>(key: string) => get(key) as Promise<T | undefined>,
    has: async (key) => (await get(key)) !== undefined,
    set: (key, value) => {
      const copy = plain(`value of ${key}`, value, calls)
      if (copy === undefined)
        throw new LoomError('ERR_ARGUMENT_TYPE', `value of ${key}: undefined; use delete`)
      calls.effect({ kind: 'set', key: checkStateKey(key), value: copy })
    },
    delete: (key) => calls.effect({ kind: 'delete', key: checkStateKey(key) }),
    keys: async ({ prefix = '', after, limit = STATE_LIST_COUNT_MAX } = {}) => {
      const countMax = Math.min(limit, STATE_LIST_COUNT_MAX)
      const args = [prefix, after, countMax]
      const list = (): WitValue | PromiseLike<unknown> =>
        context.listState(prefix, after ?? null, countMax) as WitValue | PromiseLike<unknown>
      return (await calls.later('recorded', 'state.keys', args, list)) as readonly string[]
    },
  }
}

/** Made for each run of a method; each function when it is asked for, since few are. */
export class RunContext extends Reach implements ActorContext {
  readonly #calls: Calls
  readonly #caller: string | null
  #simpleState: SimpleState | null = null

  constructor(calls: Calls) {
    super(calls)
    this.#calls = calls
    this.#caller = calls.context.caller
  }

  get actorId(): string {
    return this.#calls.context.key.id
  }

  get actorType(): string {
    return this.#calls.context.key.type
  }

  get incarnation(): string {
    return this.#calls.context.incarnation
  }

  get caller(): ActorTarget | null {
    return this.#caller === null ? null : parseActorKey(this.#caller)
  }

  get invocationId(): ActorContext['invocationId'] {
    const calls = this.#calls
    return () => calls.invocationId()
  }

  get now(): ActorContext['now'] {
    const calls = this.#calls
    return () => calls.now('now', [], () => calls.context.clock.wallMs()) as number
  }

  get random(): ActorContext['random'] {
    const calls = this.#calls
    return () => calls.now('random', [], () => randomUnit(calls.context)) as number
  }

  get uuid(): ActorContext['uuid'] {
    const calls = this.#calls
    return () => calls.now('uuid', [], () => uuid(calls.context)) as string
  }

  get call(): ActorContext['call'] {
    const calls = this.#calls
    return <T>(target: ActorTarget, method: string, ...args: readonly unknown[]) =>
      handled(call<T>(calls, target, method, args))
  }

  get send(): ActorContext['send'] {
    return (target, method, ...args) => send(this.#calls, 0, target, method, args)
  }

  get sendLater(): ActorContext['sendLater'] {
    return (delayMs, target, method, ...args) => send(this.#calls, delayMs, target, method, args)
  }

  get fetch(): ActorContext['fetch'] {
    return fetchOf(this.#calls)
  }

  get simpleState(): SimpleState {
    this.#simpleState ??= simpleState(this.#calls)
    return this.#simpleState
  }

  get reminders(): Reminders {
    return reminders(this.#calls)
  }

  get timers(): Timers {
    return timers(this.#calls)
  }

  get log(): ActorContext['log'] {
    return (level, message) => this.#calls.log(level, message)
  }
}

async function call<T>(
  calls: Calls,
  target: ActorTarget,
  method: string,
  args: readonly unknown[],
): Promise<T> {
  const values = plain(`arguments of ${method}`, args, calls) as readonly WitValue[]
  const call = { target: checkedTarget(target), method, args: values }
  const named = [call.target.type, call.target.id, method, values]
  const perform = (): WitValue | PromiseLike<WitValue> => {
    const outcome = calls.context.callActor(call)
    return isThenable(outcome) ? outcome.then(recordedOutcome) : recordedOutcome(outcome)
  }
  return resultOf(await calls.later('calling', 'call', named, perform, copiedOutcome)) as T
}

function send(
  calls: Calls,
  delayMs: number,
  target: ActorTarget,
  method: string,
  args: readonly unknown[],
): void {
  const values = plain(`arguments of ${method}`, args, calls) as readonly WitValue[]
  const message = { target: checkedTarget(target), method, args: values }
  if (typeof delayMs !== 'number' || !(delayMs >= 0 && delayMs <= TIME_MAX_MS))
    throw new LoomError(
      'ERR_ARGUMENT_TYPE',
      `delayMs: expected 0 to ${TIME_MAX_MS}, got ${delayMs}`,
    )
  calls.effect({ kind: 'send', ...message, delayMs })
}
