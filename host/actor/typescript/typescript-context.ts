/**
 * The context of TypeScript actors: what a method may ask the host for.
 *
 * Owns: each function's class (pure, recorded, calling, effect). Does not own: recording (hostcalls/).
 *
 * Invariant TC1: what enters or leaves is copied as the journal gives it back, so that a live turn sees the very
 * values that its replay will see.
 */
import { ERRORS, type ErrorCode, LoomError } from '../../base/errors.ts'
import { STATE_LIST_COUNT_MAX } from '../../base/limits.ts'
import { checkActorId, checkStateKey, checkTypeName, parseActorKey } from '../../base/names.ts'
import { isThenable } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { HostCallContext } from '../../hostcalls/host-interface.ts'
import { randomUnit } from '../../hostcalls/loom-actor.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { ActorContext, ActorTarget, SimpleState } from './typescript-actor.ts'
import { Calls, plain } from './typescript-calls.ts'
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

function resultOf(recorded: WitValue): WitValue {
  const { tag, val } = recorded as { readonly tag: 'ok' | 'err'; readonly val: WitValue }
  if (tag === 'ok') return val
  const [code, message] = val as readonly [string, string]
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'ERR_HOST_CALL'
  throw new LoomError(known, message)
}

function simpleState(context: HostCallContext, calls: Calls): SimpleState {
  const get = (key: string): Promise<WitValue> => {
    const checked = checkStateKey(key)
    return calls.later('recorded', 'state.get', [checked], () => context.readState(checked))
  }
  return {
    get: <T>(key: string) => get(key) as Promise<T | undefined>,
    has: async (key) => (await get(key)) !== undefined,
    set: (key, value) => {
      const copy = plain(`value of ${key}`, value)
      if (copy === undefined)
        throw new LoomError('ERR_ARGUMENT_TYPE', `value of ${key}: undefined; use delete`)
      context.effect({ kind: 'set', key: checkStateKey(key), value: copy })
    },
    delete: (key) => context.effect({ kind: 'delete', key: checkStateKey(key) }),
    keys: async ({ prefix = '', after, limit = STATE_LIST_COUNT_MAX } = {}) => {
      const countMax = Math.min(limit, STATE_LIST_COUNT_MAX)
      const args = [prefix, after, countMax]
      const list = (): WitValue | PromiseLike<unknown> =>
        context.listState(prefix, after ?? null, countMax) as WitValue | PromiseLike<unknown>
      return (await calls.later('recorded', 'state.keys', args, list)) as readonly string[]
    },
  }
}

export function actorContext(context: HostCallContext, recorder: Recorder): ActorContext {
  const calls = new Calls(recorder)
  const send = (
    delayMs: number,
    target: ActorTarget,
    method: string,
    args: readonly unknown[],
  ): void => {
    const values = plain(`arguments of ${method}`, args) as readonly WitValue[]
    const message = { target: checkedTarget(target), method, args: values }
    context.effect({ kind: 'send', ...message, delayMs })
  }
  return {
    actorId: context.key.id,
    actorType: context.key.type,
    incarnation: context.incarnation,
    get caller() {
      return context.caller === null ? null : parseActorKey(context.caller)
    },
    invocationId: () => context.invocationId(),
    now: () => calls.now('now', [], () => context.clock.wallMs()) as number,
    random: () => calls.now('random', [], () => randomUnit(context)) as number,
    uuid: () => calls.now('uuid', [], () => uuid(context)) as string,
    call: async <T>(target: ActorTarget, method: string, ...args: readonly unknown[]) => {
      const values = plain(`arguments of ${method}`, args) as readonly WitValue[]
      const call = { target: checkedTarget(target), method, args: values }
      const named = [call.target.type, call.target.id, method, values]
      const recorded = await calls.later('calling', 'call', named, () => {
        const outcome = context.callActor(call)
        return isThenable(outcome) ? outcome.then(recordedOutcome) : recordedOutcome(outcome)
      })
      return resultOf(recorded) as T
    },
    send: (target, method, ...args) => send(0, target, method, args),
    sendLater: (delayMs, target, method, ...args) => send(delayMs, target, method, args),
    fetch: fetchOf(context, recorder, calls),
    simpleState: simpleState(context, calls),
    reminders: reminders(context, calls),
    timers: timers(context),
    log: (level, message) => {
      if (context.live) context.log(level, message)
    },
  }
}
