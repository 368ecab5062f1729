/**
 * Actor calls: one actor of this host calls another, and waits.
 *
 * Guarantee to the calling turn: the callee's turn happened once under this call's id, or failed, or was never
 * run; the caller's own commits come behind the callee's, so that no one sees an outcome that is lost later.
 *
 * Owns: finding the callee, deadlocks. Does not own: turns and their order of commits (actor/), what becomes of one
 * actor's turn when the other's is lost (actor/shared-fate.ts).
 *
 * Invariants:
 *   AC1. An actor waits for at most one other, because it runs one turn at a time; so who waits for whom is a
 *        list that can be followed. A call that would close it to a ring is refused: ERR_DEADLOCK.
 *   AC3. A turn that a crash cut off is run again, and makes its calls again: one that has happened is answered from
 *        the callee's journal, also where it would close a ring by now.
 *   AC4. A callee that is refused for load was not run: the call waits for room, for a while, since the failure of the
 *        turn that made it would be final.
 *   AC2. Turns are nested on one stack only up to a depth; beyond it a callee runs later, on a stack of its own.
 */
import type { Activation } from '../actor/activation.ts'
import type { CallHead } from '../actor/invocation.ts'
import { type LocalCaller, outcomeOf } from '../actor/local-call.ts'
import type { ActorMethod } from '../actor/program.ts'
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import {
  CALL_RETRY_MAX_MS,
  CALL_RETRY_MIN_MS,
  CALL_RETRY_TIMEOUT_MS,
  NESTED_TURNS_MAX,
} from '../base/limits.ts'
import { checkActorId, checkTypeName, formatActorKey } from '../base/names.ts'
import { isPromise } from '../base/promises.ts'
import type { JsonValue, WitValue } from '../component/wit.ts'
import type { OutgoingCall } from '../hostcalls/host-interface.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { Pool } from '../pool/pool.ts'
import { findMethod } from './handle.ts'

export class ActorCalls {
  readonly #pool: Pool
  readonly #clock: Clock
  /** The actor that each waiting one waits for (AC1). */
  readonly #waits = new Map<string, string>()
  #depth = 0

  constructor(pool: Pool, clock: Clock) {
    this.#pool = pool
    this.#clock = clock
  }

  /** Rejects when nobody knows whether the callee's turn happened. */
  call(
    caller: LocalCaller,
    call: OutgoingCall,
    callId: string,
  ): TurnOutcome | Promise<TurnOutcome> {
    const from = caller.name
    const to = formatActorKey(call.target)
    try {
      checkTypeName(call.target.type)
      checkActorId(call.target.id)
    } catch (error) {
      return outcomeOf(error)
    }
    const ring = this.#ring(from, to)
    if (ring !== null) return this.#refuseRing(ring, to, call, callId)
    this.#waits.set(from, to)
    const outcome = this.#dispatch(caller, to, call, callId)
    if (!isPromise(outcome) && !isRefused(outcome)) {
      this.#waits.delete(from)
      return outcome
    }
    return this.#untilRun(outcome, caller, call, callId).finally(() => this.#waits.delete(from))
  }

  /** AC4. */
  async #untilRun(
    first: TurnOutcome | Promise<TurnOutcome>,
    caller: LocalCaller,
    call: OutgoingCall,
    callId: string,
  ): Promise<TurnOutcome> {
    let outcome = await first
    const deadlineMs = this.#clock.monotonicMs() + CALL_RETRY_TIMEOUT_MS
    for (let pauseMs = CALL_RETRY_MIN_MS; isRefused(outcome); ) {
      if (caller.tail.broken !== null || this.#clock.monotonicMs() + pauseMs > deadlineMs)
        return outcome
      await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve))
      outcome = await this.#activate(caller, call, callId)
      pauseMs = Math.min(pauseMs * 2, CALL_RETRY_MAX_MS)
    }
    return outcome
  }

  /** The ring that a call would close, or null (AC1). */
  #ring(from: string, to: string): readonly string[] | null {
    const chain = [from, to]
    for (let next = to; next !== from; ) {
      const after = this.#waits.get(next)
      if (after === undefined) return null
      chain.push(after)
      next = after
    }
    return chain
  }

  /** AC3. */
  async #refuseRing(
    chain: readonly string[],
    to: string,
    call: OutgoingCall,
    callId: string,
  ): Promise<TurnOutcome> {
    const callee = this.#pool.peek(to)
    const method =
      call.interfaceName === undefined
        ? callee?.program.findMethod(call.method)
        : callee?.program.findFunction(call.interfaceName, call.method)
    if (callee !== undefined && method !== undefined && !callee.closed) {
      const args = argumentsOf(method, call)
      const known = await callee.known({ method, args, idempotencyKey: callId })
      if (known !== null) return answerOf(method, call, known)
    }
    const message = `the call closes a ring: ${chain.join(' -> ')}`
    return outcomeOf(new LoomError('ERR_DEADLOCK', message, { data: { chain } }))
  }

  #dispatch(
    caller: LocalCaller,
    to: string,
    call: OutgoingCall,
    callId: string,
  ): TurnOutcome | Promise<TurnOutcome> {
    const activation = this.#depth < NESTED_TURNS_MAX ? this.#pool.peek(to) : undefined
    if (activation === undefined || activation.closed) return this.#activate(caller, call, callId)
    this.#depth++
    try {
      return callOf(activation, caller, call, callId)
    } finally {
      this.#depth--
    }
  }

  async #activate(caller: LocalCaller, call: OutgoingCall, callId: string): Promise<TurnOutcome> {
    let activation: Activation
    try {
      activation = await this.#pool.acquire(call.target)
      while (activation.closed) activation = await this.#pool.acquire(call.target)
    } catch (error) {
      return outcomeOf(error)
    }
    return callOf(activation, caller, call, callId)
  }
}

/** Not run, for load. A turn that ran never ends so (`finalCode`). */
function isRefused(outcome: TurnOutcome): boolean {
  return outcome.kind === 'failed' && outcome.code === 'ERR_BUSY'
}

function callOf(
  activation: Activation,
  caller: LocalCaller,
  call: OutgoingCall,
  idempotencyKey: string,
): TurnOutcome | Promise<TurnOutcome> {
  let method: ActorMethod
  let head: CallHead
  try {
    method = findMethod(activation, call.method, call.interfaceName)
    head = { method, args: argumentsOf(method, call), idempotencyKey, caller: caller.name }
  } catch (error) {
    return outcomeOf(error)
  }
  const outcome = activation.callLocally(head, caller)
  const answer = (given: TurnOutcome): TurnOutcome => answerOf(method, call, given)
  return isPromise(outcome) ? outcome.then(answer) : answer(outcome)
}

/** Arguments as the method takes them. @throws ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE */
export function argumentsOf(method: ActorMethod, { args }: OutgoingCall): readonly WitValue[] {
  return typeof args === 'string' ? method.fromJson(readJson(method, args)) : method.check(args)
}

function readJson(method: ActorMethod, text: string): readonly JsonValue[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = null
  }
  if (Array.isArray(value)) return value as readonly JsonValue[]
  throw new LoomError(
    'ERR_ARGUMENT_TYPE',
    `arguments of ${method.name}: expected the text of a JSON array`,
  )
}

/** A result in the form of the arguments. */
function answerOf(method: ActorMethod, { args }: OutgoingCall, outcome: TurnOutcome): TurnOutcome {
  if (typeof args !== 'string' || outcome.kind === 'failed') return outcome
  return { kind: 'returned', value: JSON.stringify(method.toJson(outcome.value)) }
}
