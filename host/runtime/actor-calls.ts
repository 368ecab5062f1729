/**
 * Actor calls: one actor of this host calls another, and waits.
 *
 * Guarantee to the calling turn: the callee's turn happened once under this call's id, or failed, or was never
 * run; the caller's own commits come behind the callee's, so that no one sees an outcome that is lost later.
 *
 * Owns: finding the callee, deadlocks. Does not own: turns and their order of commits (actor/), what becomes of one
 * actor's turn when the other's is lost (actor/journal/shared-fate.ts).
 *
 * Invariants:
 *   AC1. An actor waits for at most one other, because it runs one turn at a time; so who waits for whom is a
 *        list that can be followed. Where it closes to a ring, one call of the ring is refused: ERR_DEADLOCK.
 *   AC2. Turns are nested on one stack only up to a depth; beyond it a callee runs later, on a stack of its own.
 *   AC3. Only a call whose turn has not begun, in any run, is refused. A turn that was cut off is run again and makes
 *        its calls again: one that has happened is answered from the callee's journal, and for one that has begun
 *        another of the ring is refused. There is one, because no turn is begun by a call that it led to.
 *   AC4. A callee that is refused for load was not run: the call waits for room, for a while, since the failure of the
 *        turn that made it would be final. So does the call of a turn that was cut off, for whatever keeps its callee
 *        from being activated; as it may have been run before, it is never refused: the turn goes on later.
 */
import type { CallHead } from '../actor/mailbox/invocation.ts'
import { type LocalActor, outcomeOf } from '../actor/mailbox/local-call.ts'
import type { ActorMethod } from '../actor/program/program.ts'
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import {
  CALL_RETRY_MAX_MS,
  CALL_RETRY_MIN_MS,
  CALL_RETRY_TIMEOUT_MS,
  NESTED_TURNS_MAX,
} from '../base/limits.ts'
import { checkActorId, checkTypeName, formatActorKey } from '../base/names.ts'
import { ignoreOutcome, isPromise } from '../base/promises.ts'
import type { JsonValue, WitValue } from '../component/wit/wit.ts'
import type { OutgoingCall } from '../hostcalls/host-interface.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { Pool } from '../pool/pool.ts'
import { findMethod } from './handle.ts'

/** A call whose caller waits. */
interface Wait {
  readonly caller: LocalActor
  readonly to: string
  readonly callId: string
  /** Nobody can have used the id before. */
  isNew: boolean
  /** Null until the call has reached its callee. */
  callee: LocalActor | null
  /** Why it is to be refused when it does, or null. */
  refusal: LoomError | null
}

export class ActorCalls {
  readonly #pool: Pool
  readonly #clock: Clock
  /** By the name of the actor that waits (AC1). */
  readonly #waits = new Map<string, Wait>()
  #depth = 0

  constructor(pool: Pool, clock: Clock) {
    this.#pool = pool
    this.#clock = clock
  }

  /** Rejects when nobody knows whether the callee's turn happened. */
  call(
    caller: LocalActor,
    call: OutgoingCall,
    callId: string,
    isNew = false,
  ): TurnOutcome | Promise<TurnOutcome> {
    const from = caller.name
    const to = formatActorKey(call.target)
    try {
      checkTypeName(call.target.type)
      checkActorId(call.target.id)
    } catch (error) {
      return outcomeOf(error)
    }
    const wait: Wait = { caller, to, callId, isNew, callee: null, refusal: null }
    this.#waits.set(from, wait)
    const isRing = this.#ring(from) !== null
    const outcome = this.#dispatch(wait, call, isRing)
    if (!isPromise(outcome) && !isRefused(outcome, wait)) {
      this.#end(wait)
      return outcome
    }
    if (isRing) ignoreOutcome(this.#breakRing(from))
    return this.#untilRun(wait, call, outcome).finally(() => this.#end(wait))
  }

  /** AC4. */
  async #untilRun(
    wait: Wait,
    call: OutgoingCall,
    first: TurnOutcome | Promise<TurnOutcome>,
  ): Promise<TurnOutcome> {
    let outcome = await first
    const deadlineMs = this.#clock.monotonicMs() + CALL_RETRY_TIMEOUT_MS
    for (let pauseMs = CALL_RETRY_MIN_MS; isRefused(outcome, wait); ) {
      const isOver = this.#clock.monotonicMs() + pauseMs > deadlineMs
      if (isOver && wait.caller.resumes) throw undecided(wait.to, outcome)
      if (isOver || !wait.caller.open) return outcome
      wait.callee = null
      wait.isNew = false
      await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve))
      outcome = await this.#activate(wait, call)
      pauseMs = Math.min(pauseMs * 2, CALL_RETRY_MAX_MS)
    }
    return outcome
  }

  #end(wait: Wait): void {
    const { name } = wait.caller
    if (this.#waits.get(name) === wait) this.#waits.delete(name)
  }

  /** From `first` back to itself, or null (AC1). Who waited in a turn that is lost waits no more. */
  #ring(first: string): readonly string[] | null {
    let wait = this.#waits.get(first)
    // Most callees wait for nobody.
    if (wait === undefined || (wait.to !== first && !this.#waits.has(wait.to))) return null
    const chain = [first]
    while (wait?.caller.open === true && chain.length <= this.#waits.size) {
      chain.push(wait.to)
      if (wait.to === first) return chain
      wait = this.#waits.get(wait.to)
    }
    return null
  }

  /** AC3. */
  async #breakRing(first: string): Promise<void> {
    const chain = this.#ring(first)
    if (chain === null) return
    const message = `the call closes a ring: ${chain.join(' -> ')}`
    const error = new LoomError('ERR_DEADLOCK', message, { data: { chain } })
    const waits = chain.slice(0, -1).flatMap((name) => this.#waits.get(name) ?? [])
    for (const wait of waits) if (await refuse(wait, error)) return
  }

  #dispatch(wait: Wait, call: OutgoingCall, isRing: boolean): TurnOutcome | Promise<TurnOutcome> {
    // One that waits in the ring may be leaving the pool.
    const waiting = isRing ? this.#waits.get(wait.to)?.caller : undefined
    if (waiting !== undefined) return this.#reach(wait, waiting, call)
    const activation = this.#depth < NESTED_TURNS_MAX ? this.#pool.peek(wait.to) : undefined
    if (activation === undefined || activation.closed) return this.#activate(wait, call)
    this.#depth++
    try {
      return this.#reach(wait, activation, call)
    } finally {
      this.#depth--
    }
  }

  #reach(wait: Wait, callee: LocalActor, call: OutgoingCall): TurnOutcome | Promise<TurnOutcome> {
    wait.callee = callee
    let method: ActorMethod
    let head: CallHead
    try {
      method = findMethod(callee, call.method, call.interfaceName)
      const args = argumentsOf(method, call)
      head = { method, args, idempotencyKey: wait.callId, caller: wait.caller.name }
    } catch (error) {
      return outcomeOf(error)
    }
    // A query waits for no turn, and calls nobody.
    if (callee.queries.has(method.name)) this.#end(wait)
    else wait.caller.calls(callee, wait.callId)
    const outcome = callee.callLocally(head, wait.caller, wait.isNew)
    if (!isPromise(outcome)) return answerOf(method, call, outcome)
    return outcome.then((given) => answerOf(method, call, given))
  }

  async #activate(wait: Wait, call: OutgoingCall): Promise<TurnOutcome> {
    try {
      return await this.#pool.use(call.target, (activation) => {
        const outcome = this.#reach(wait, activation, call)
        if (wait.refusal !== null) ignoreOutcome(this.#refuseArrived(wait, wait.refusal))
        return outcome
      })
    } catch (error) {
      return outcomeOf(error)
    }
  }

  async #refuseArrived(wait: Wait, error: LoomError): Promise<void> {
    if (!(await refuse(wait, error))) await this.#breakRing(wait.caller.name)
  }
}

type Failed = TurnOutcome & { readonly kind: 'failed' }

/** An earlier run of the calling turn may have made the call (AC3): it is made again, in a later run. */
function undecided(to: string, { code, message }: Failed): LoomError {
  return new LoomError(
    'ERR_COMMIT',
    `whether a call of ${to} was run is unknown: ${code}: ${message}`,
  )
}

/**
 * Not run, for now (AC4): for load, or because a callee of a turn that was cut off cannot be activated. A turn that ran
 * never ends as busy (`finalCode`).
 */
function isRefused(outcome: TurnOutcome, { caller, callee }: Wait): outcome is Failed {
  if (outcome.kind !== 'failed') return false
  return outcome.code === 'ERR_BUSY' || (callee === null && caller.resumes)
}

/** False when the turn has begun. */
async function refuse(wait: Wait, error: LoomError): Promise<boolean> {
  const { callee, callId } = wait
  if (callee !== null) return await callee.giveUp(callId, error)
  wait.refusal = error
  return true
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
