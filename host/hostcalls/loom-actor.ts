/**
 * `loom:actor`: context, log and guest of 0.1 and 0.2; actors and state of 0.2 (wit/). Reminders and timers:
 * loom-reminders.ts.
 */
import { LoomError } from '../base/errors.ts'
import { STATE_LIST_COUNT_MAX } from '../base/limits.ts'
import { type ActorKey, checkStateKey, parseActorKey } from '../base/names.ts'
import { isThenable } from '../base/promises.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { HostCallContext, HostInterfaceSpec, HostInterfaces } from './host-interface.ts'
import { serveReminders } from './loom-reminders.ts'

const NS_PER_MS = 1_000_000

/** A uniform number in [0, 1) with 53 random bits, as Math.random gives. */
export function randomUnit(context: HostCallContext): number {
  return Number(context.random.u64() >> 11n) / 2 ** 53
}

const actorId = ({ type, id }: ActorKey): WitValue => ({ actorType: type, id })

const CONTEXT: HostInterfaceSpec = {
  self: { kind: 'pure', perform: ({ key }) => actorId(key) },
  incarnation: { kind: 'pure', perform: ({ incarnation }) => incarnation },
  'invocation-id': { kind: 'pure', perform: (context) => context.invocationId() },
  caller: {
    kind: 'pure',
    perform: ({ caller }) => (caller === null ? undefined : actorId(parseActorKey(caller))),
  },
}

const LOG: HostInterfaceSpec = {
  log: {
    kind: 'pure',
    perform: (context, [level, message]) => {
      if (context.live) context.log(String(level), String(message))
      return undefined
    },
  },
}

const GUEST: HostInterfaceSpec = {
  panic: {
    kind: 'pure',
    perform: (context, [message, file, line, column]) => {
      // What is thrown and no error has no place.
      context.panic(file === '' ? String(message) : `${message} (${file}:${line}:${column})`)
      return undefined
    },
  },
  'date-now': { kind: 'recorded', perform: ({ clock }) => clock.wallMs() },
  'performance-now': {
    kind: 'recorded',
    perform: ({ clock }) => Number(clock.monotonicNs()) / NS_PER_MS,
  },
  seed: { kind: 'recorded', perform: randomUnit },
}

const STATE: HostInterfaceSpec = {
  get: {
    kind: 'recorded',
    perform: (context, [key]) => context.readState(checkStateKey(key)),
  },
  set: {
    kind: 'pure',
    perform: (context, [key, value]) => {
      context.effect({ kind: 'set', key: checkStateKey(key), value })
      return undefined
    },
  },
  delete: {
    kind: 'pure',
    perform: (context, [key]) => {
      context.effect({ kind: 'delete', key: checkStateKey(key) })
      return undefined
    },
  },
  'list-keys': {
    kind: 'recorded',
    perform: (context, [prefix, after, limit]) =>
      context.listState(
        String(prefix),
        after === undefined ? null : String(after),
        Math.min(Number(limit), STATE_LIST_COUNT_MAX),
      ) as WitValue | PromiseLike<WitValue>,
  },
}

const targetOf = (target: WitValue): ActorKey => {
  const { actorType: type, id } = target as { readonly actorType: string; readonly id: string }
  return { type, id }
}

function callResult(outcome: TurnOutcome): WitValue {
  if (outcome.kind === 'returned') return { tag: 'ok', val: outcome.value }
  return { tag: 'err', val: { code: outcome.code, message: outcome.message } }
}

function send(
  context: HostCallContext,
  [target, method, args]: readonly WitValue[],
  delayMs: number,
): undefined {
  if (!Number.isSafeInteger(delayMs))
    throw new LoomError('ERR_HOST_CALL', `send-later: ${delayMs} ms is too long`)
  const message = { target: targetOf(target), method: String(method), args: String(args) }
  context.effect({ kind: 'send', ...message, delayMs })
}

const ACTORS: HostInterfaceSpec = {
  call: {
    kind: 'calling',
    perform: (context, [target, method, args]) => {
      const call = { target: targetOf(target), method: String(method), args: String(args) }
      const outcome = context.callActor(call)
      return isThenable(outcome) ? outcome.then(callResult) : callResult(outcome)
    },
  },
  send: { kind: 'pure', perform: (context, args) => send(context, args, 0) },
  'send-later': {
    kind: 'pure',
    perform: (context, args) => send(context, args, Number(args[3])),
  },
}

export function serveLoomActor(interfaces: HostInterfaces): void {
  for (const version of ['0.1.0', '0.2.0']) {
    interfaces.add(`loom:actor/context@${version}`, CONTEXT)
    interfaces.add(`loom:actor/log@${version}`, LOG)
    interfaces.add(`loom:actor/guest@${version}`, GUEST)
  }
  interfaces.add('loom:actor/actors@0.2.0', ACTORS)
  interfaces.add('loom:actor/state@0.2.0', STATE)
  serveReminders(interfaces)
}
