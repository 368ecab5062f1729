/**
 * Programs of TypeScript actors: a class behind the port of program.ts.
 *
 * Owns: which methods are callable, isolation of arguments and results, rollback of the state.
 *
 * Invariants:
 *   C1. Arguments, state changes and results cross as the journal gives them back: no caller shares an
 *       object with an actor's state, and a live turn sees the very values that its replay will see.
 *   C2. Every turn runs on a new object with the state of before. Were fields to outlive a turn, a turn
 *       after an eviction or a crash would differ from its replay.
 *   C3. The state of before is kept apart from what a turn can change in place (frozen-state.ts).
 */
import { createHash } from 'node:crypto'
import { ERRORS, LoomError, toLoomError } from '../../base/errors.ts'
import { isThenable } from '../../base/promises.ts'
import { camelCase } from '../../component/wit/labels.ts'
import type { JsonValue, WitValue } from '../../component/wit/wit.ts'
import { CALL_LIMITS } from '../../hostcalls/call-limits.ts'
import type { HostCallContext } from '../../hostcalls/host-interface.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'
import {
  asJournaled,
  copyJournaled,
  packValue,
  type Unkept,
  unpackValue,
} from '../../journal/values.ts'
import type { ActorBody, ActorMethod, ActorProgram } from '../program/program.ts'
import { frozen, isChangeable } from './frozen-state.ts'
import { Actor, type ActorClass, type ActorState, plainState } from './typescript-actor.ts'
import { Calls } from './typescript-calls.ts'
import { RunContext } from './typescript-context.ts'

class TypescriptBody implements ActorBody {
  readonly #actorClass: ActorClass
  readonly #context: HostCallContext
  readonly #recorder: Recorder
  #actor: Actor
  #calls: Calls
  #accepted: ActorState
  /** What the run that ended last has left (TC3). */
  #left: ActorState

  constructor(actorClass: ActorClass, context: HostCallContext, recorder: Recorder) {
    this.#actorClass = actorClass
    this.#context = context
    this.#recorder = recorder
    this.#accepted = frozen(asJournaled(actorClass.initialState ?? {}) as ActorState)
    this.#calls = new Calls(context, recorder)
    this.#actor = this.#instance()
    this.#calls.end()
    this.#left = this.#accepted
    this.#leave()
    this.accept()
  }

  #instance(): Actor {
    const state = isChangeable(this.#accepted) ? structuredClone(this.#accepted) : this.#accepted
    return new this.#actorClass(new RunContext(this.#calls), state as never)
  }

  invoke(method: ActorMethod, args: readonly WitValue[]): WitValue | Promise<WitValue> {
    const calls = new Calls(this.#context, this.#recorder)
    this.#calls = calls
    try {
      // A constructor may ask the host: what it is told is recorded with the turn (C2).
      this.#actor = this.#instance()
      const run = (this.#actor as unknown as Record<string, (...args: unknown[]) => unknown>)[
        method.name
      ]
      if (run === undefined) throw new LoomError('ERR_INVARIANT', `no method ${method.name}`)
      const result = run.apply(this.#actor, copyJournaled(args) as unknown[])
      if (isThenable(result))
        return calls.ended(result, (given) => this.#end(calls, given)).catch(failed)
      return this.#end(calls, result)
    } catch (error) {
      calls.end()
      return failed(error)
    }
  }

  parks(): boolean {
    return false
  }

  rollback(): boolean {
    return true
  }

  /** Reading the result and the state may run code of the author: that belongs to the turn. Returns a copy (C1). */
  #end(calls: Calls, result: unknown): WitValue {
    const copy = copied(result, calls.atEnd)
    this.#leave()
    calls.end()
    return copy
  }

  /** C3. @throws ERR_ARGUMENT_TYPE when it was changed in place, to what cannot be kept. */
  #leave(): void {
    const { state } = this.#actor
    this.#left = isChangeable(state) ? frozen(plainState(state, this.#calls.atEnd)) : state
  }

  accept(): void {
    this.#accepted = this.#left
  }

  capture(): Uint8Array {
    return packValue(this.#accepted)
  }

  restore(image: Uint8Array): void {
    this.#accepted = frozen(unpackValue(image) as ActorState)
  }

  stateHash(): string {
    return createHash('sha256').update(this.capture()).digest('hex')
  }

  release(): void {}
}

/** Results cross as the journal would give them back (C1). */
function copied(result: unknown, unkept: Unkept): WitValue {
  try {
    return asJournaled(result, unkept) as WitValue
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_ACTOR_FAILED', `the result is not plain data: ${reason}`)
  }
}

/**
 * Codes that say something of the host or of another actor (busy, lost, corrupt, diverging) are not the turn's: they
 * would be believed of this one.
 */
function failed(thrown: unknown): never {
  const { code, message } = toLoomError(thrown, 'ERR_ACTOR_FAILED')
  const kind = Object.hasOwn(ERRORS, code) ? ERRORS[code].kind : null
  const isOwn = kind === 'guest' || kind === 'usage' || kind === 'bug'
  throw new LoomError(isOwn ? code : 'ERR_HOST_CALL', String(message), { cause: thrown })
}

function methodNames(actorClass: ActorClass): string[] {
  const names = new Set<string>()
  let prototype: object | null = actorClass.prototype as object
  while (prototype !== null && prototype !== Actor.prototype) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
      if (typeof property.value === 'function' && name !== 'constructor' && !name.startsWith('_'))
        names.add(name)
    prototype = Object.getPrototypeOf(prototype)
  }
  return [...names].sort()
}

function toJson(result: WitValue): JsonValue {
  if (result === undefined) return null
  const text = JSON.stringify(result, (_, item) =>
    typeof item === 'bigint' ? item.toString() : item,
  )
  return JSON.parse(text) as JsonValue
}

function methodOf(name: string): ActorMethod {
  const check = (args: readonly unknown[]): readonly WitValue[] => {
    try {
      return asJournaled(args) as readonly WitValue[]
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new LoomError('ERR_ARGUMENT_TYPE', `arguments of ${name}: ${reason}`)
    }
  }
  return { name, signature: null, check, fromJson: check, toJson }
}

function checkInitialState({ initialState }: ActorClass): void {
  try {
    asJournaled(initialState)
  } catch (error) {
    throw new LoomError('ERR_OPTION', `initialState: expected plain data: ${String(error)}`)
  }
}

/** @throws ERR_OPTION when the class is not one that extends Actor, or its initial state is no plain data. */
export function typescriptProgram(actorClass: ActorClass): ActorProgram {
  if (typeof actorClass !== 'function' || !(actorClass.prototype instanceof Actor))
    throw new LoomError('ERR_OPTION', 'actorClass: expected a class that extends Actor')
  checkInitialState(actorClass)
  const methods = methodNames(actorClass).map(methodOf)
  const byName = new Map(methods.map((method) => [method.name, method]))
  return {
    type: 'typescript',
    digest: 'typescript',
    callLimits: CALL_LIMITS,
    uncaptured: null,
    startsQuietly: false,
    methods,
    findMethod: (name) => byName.get(name),
    findFunction: (_, name) => byName.get(name) ?? byName.get(camelCase(name)),
    start: (context, recorder) => new TypescriptBody(actorClass, context, recorder),
  }
}
