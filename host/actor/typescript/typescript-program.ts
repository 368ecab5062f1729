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
 */
import { createHash } from 'node:crypto'
import { LoomError, toLoomError } from '../../base/errors.ts'
import { isThenable } from '../../base/promises.ts'
import { camelCase } from '../../component/wit/labels.ts'
import type { JsonValue, WitValue } from '../../component/wit/wit.ts'
import { CALL_LIMITS } from '../../hostcalls/call-limits.ts'
import { asJournaled, copyJournaled, packValue, unpackValue } from '../../journal/values.ts'
import type { ActorBody, ActorMethod, ActorProgram } from '../program/program.ts'
import { Actor, type ActorClass, type ActorContext, type ActorState } from './typescript-actor.ts'
import { actorContext } from './typescript-context.ts'

class TypescriptBody implements ActorBody {
  readonly #actorClass: ActorClass
  readonly #context: ActorContext
  #actor: Actor
  #accepted: ActorState

  constructor(actorClass: ActorClass, context: ActorContext) {
    this.#actorClass = actorClass
    this.#context = context
    const initial = asJournaled(actorClass.initialState ?? {}) as ActorState
    this.#actor = new actorClass(context, initial as never)
    this.#accepted = this.#actor.state
  }

  invoke(method: ActorMethod, args: readonly WitValue[]): WitValue | Promise<WitValue> {
    try {
      // A constructor may ask the host: what it is told is recorded with the turn (C2).
      this.#actor = new this.#actorClass(this.#context, this.#accepted as never)
      const run = (this.#actor as unknown as Record<string, (...args: unknown[]) => unknown>)[
        method.name
      ]
      if (run === undefined) throw new LoomError('ERR_INVARIANT', `no method ${method.name}`)
      const result = run.apply(this.#actor, copyJournaled(args) as unknown[])
      return isThenable(result) ? Promise.resolve(result).then(copied, failed) : copied(result)
    } catch (error) {
      return failed(error)
    }
  }

  parks(): boolean {
    return false
  }

  rollback(): boolean {
    return true
  }

  accept(): void {
    this.#accepted = this.#actor.state
  }

  capture(): Uint8Array {
    return packValue(this.#accepted)
  }

  restore(image: Uint8Array): void {
    this.#accepted = unpackValue(image) as ActorState
  }

  stateHash(): string {
    return createHash('sha256').update(this.capture()).digest('hex')
  }

  release(): void {}
}

/** Results cross as the journal would give them back (C1). */
function copied(result: unknown): WitValue {
  try {
    return asJournaled(result) as WitValue
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_ACTOR_FAILED', `the result is not plain data: ${reason}`)
  }
}

function failed(error: unknown): never {
  throw toLoomError(error, 'ERR_ACTOR_FAILED')
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

/** @throws ERR_OPTION when the class is not one that extends Actor. */
export function typescriptProgram(actorClass: ActorClass): ActorProgram {
  if (typeof actorClass !== 'function' || !(actorClass.prototype instanceof Actor))
    throw new LoomError('ERR_OPTION', 'actorClass: expected a class that extends Actor')
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
    start: (context, recorder) => new TypescriptBody(actorClass, actorContext(context, recorder)),
  }
}
