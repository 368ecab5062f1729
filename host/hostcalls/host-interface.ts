/**
 * Host interfaces: what a guest may import, and of which class each function is.
 *
 * Owns: the table of served functions and version matching.
 * Does not own: recording and replaying (recorder.ts), what a component asks for (component/).
 */
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import type { ActorKey } from '../base/names.ts'
import type { Random } from '../base/random.ts'
import { compatibleName } from '../component/wit/interface-name.ts'
import type { WitFunction, WitInterface, WitValue } from '../component/wit/wit.ts'
import type { Effect, ScheduleText, TurnOutcome } from '../journal/entry.ts'
import type { FetchOutcome, FetchRequest } from './fetch.ts'
import type { HostResources } from './host-resources.ts'
import type { StandardStream } from './line-log.ts'

/** What a turn can read of its actor beyond the memory. */
export interface ActorReads {
  /** Keyed state as the turn sees it: committed values, and what it has written itself. */
  readState(key: string): WitValue | PromiseLike<WitValue>
  /** Keys that begin with `prefix` and lie behind `after`, in the order of their UTF-8 bytes. */
  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly string[] | PromiseLike<readonly string[]>
  /** Reminders as the turns before it have left them, in order of name. */
  listReminders(): readonly ReminderInfo[] | PromiseLike<readonly ReminderInfo[]>
}

/** What a host function may know of the turn that calls it. */
export interface HostCallContext extends ActorReads {
  readonly key: ActorKey
  readonly incarnation: string
  readonly clock: Clock
  readonly random: Random
  /** True while the turn is performed for the first time; false when it is replayed. */
  readonly live: boolean
  invocationId(): string
  log(level: string, message: string): void
  /** Keeps a guest's last words for the trap that follows them. */
  panic(message: string): void
  /** What the guest writes to a standard stream; for live turns only. */
  write(stream: StandardStream, bytes: Uint8Array): void
  /** What the actor's handles of host resources stand for. */
  readonly resources: HostResources
  /** The actor that called, as `type/id`; null for callers from outside. */
  readonly caller: string | null
  /** Asks for an effect of this turn: it happens with the turn's commit, or not at all. */
  effect(effect: Effect): void
  /** Calls another actor under an id that a re-run of this turn would use again. */
  callActor(call: OutgoingCall): TurnOutcome | PromiseLike<TurnOutcome>
  /** Sends an HTTP request; `index` is that of the host call, under which a re-run of this turn asks again. */
  fetch(request: FetchRequest, index: number): Promise<FetchOutcome>
}

/** A reminder that is set. */
export interface ReminderInfo {
  readonly name: string
  readonly schedule: ScheduleText
  readonly data: WitValue
  /** When its next tick is due. Units: milliseconds since 1970-01-01T00:00:00Z. */
  readonly dueAtMs: number
}

/** A call of another actor. `args`: WIT values, or the text of a JSON array; the result is given alike. */
export interface OutgoingCall {
  readonly target: ActorKey
  readonly method: string
  readonly args: readonly WitValue[] | string
  /** The interface that must have the method, where the caller knows it. */
  readonly interfaceName?: string
}

/**
 * pure: follows from the actor and the turn; performed live and in replay, never journaled.
 * recorded: performed live only; its result is journaled and comes from the journal in replay. It may
 *   return a promise: the turn then waits.
 * calling: as recorded, but started only when everything that led to it stands ahead of it in the order of
 *   commits: for calls that stay on this host.
 * awaiting: as recorded, but started only when everything that led to it is durable.
 */
export interface HostFunctionSpec {
  readonly kind: 'pure' | 'recorded' | 'calling' | 'awaiting'
  readonly perform: (
    context: HostCallContext,
    args: readonly WitValue[],
    /** Of awaiting functions, which are performed later: position of the call among the turn's recorded ones. */
    index: number,
  ) => WitValue | PromiseLike<unknown>
  /**
   * Of recorded functions that give the guest something else than what is recorded, such as a resource: makes
   * it of the recorded value, live and in replay, as a pure function. The value is not checked.
   */
  readonly derive?: (context: HostCallContext, recorded: WitValue) => WitValue
  /**
   * The arguments as they are journaled and performed: with what handles stand for in the place of handles. Of
   * functions that have `derive` too. Pure.
   */
  readonly resolve?: (context: HostCallContext, args: readonly WitValue[]) => readonly WitValue[]
  /** Of pure functions that stand in for one of an embedder: where a journal holds that one's answers, they are given. */
  readonly standsIn?: boolean
}

/** What serves a function, made of its qualified name and its type. */
export type FunctionAnswer = (name: string, func: WitFunction) => HostFunctionSpec | undefined

/** As FunctionAnswer, for interfaces of any name. */
type InterfaceAnswer = (interfaceName: string, func: WitFunction) => HostFunctionSpec | undefined

export type HostInterfaceSpec = Readonly<Record<string, HostFunctionSpec>>

function withoutVersion(interfaceName: string): string {
  return interfaceName.replace(/@.*$/, '')
}

export class HostInterfaces {
  readonly #served = new Map<string, HostInterfaceSpec>()
  readonly #defaults = new Map<string, FunctionAnswer>()
  #rule: InterfaceAnswer = () => undefined

  /** Serves `interfaceName`; without a version, every version of it. */
  add(interfaceName: string, functions: HostInterfaceSpec): void {
    this.#served.set(compatibleName(interfaceName), functions)
  }

  /** Serves the functions of `interfaceName` that nobody adds, as `answer` says. */
  addDefault(interfaceName: string, answer: FunctionAnswer): void {
    this.#defaults.set(compatibleName(interfaceName), answer)
  }

  /** Serves functions that neither `add` nor `addDefault` does, whatever their interface is called. */
  addRule(rule: InterfaceAnswer): void {
    this.#rule = rule
  }

  /** The function that answers an import. */
  answer(interfaceName: string, func: WitFunction): HostFunctionSpec | undefined {
    const served = this.find(interfaceName, func.name)
    if (served !== undefined) return served
    const answer = this.#defaults.get(compatibleName(interfaceName))
    const standIn = answer?.(importName(interfaceName, func), func)
    if (standIn !== undefined) return { ...standIn, standsIn: true }
    return this.#rule(interfaceName, func)
  }

  /** True when it was added, not when there is a default for it. */
  has(interfaceName: string): boolean {
    return this.#interface(interfaceName) !== undefined
  }

  find(interfaceName: string, functionName: string): HostFunctionSpec | undefined {
    const functions = this.#interface(interfaceName)
    return functions !== undefined && Object.hasOwn(functions, functionName)
      ? functions[functionName]
      : undefined
  }

  #interface(interfaceName: string): HostInterfaceSpec | undefined {
    return (
      this.#served.get(compatibleName(interfaceName)) ??
      this.#served.get(withoutVersion(interfaceName))
    )
  }

  /** @throws ERR_COMPONENT_IMPORT with the list of everything that is not served. */
  checkImports(imports: readonly WitInterface[]): void {
    const missing = imports.flatMap(({ name, functions }) =>
      functions
        .filter((func) => this.answer(name, func) === undefined)
        .map((func) => importName(name, func)),
    )
    if (missing.length === 0) return
    throw new LoomError(
      'ERR_COMPONENT_IMPORT',
      `the component imports what this host does not serve: ${inFewWords(missing)}${hintFor(missing)}`,
      { data: { missing } },
    )
  }
}

/** The message names that many functions, then some of each interface; `data.missing` all of them. */
const NAMED_COUNT_MAX = 8
const NAMED_EACH_MAX = 3

function inFewWords(missing: readonly string[]): string {
  if (missing.length <= NAMED_COUNT_MAX) return missing.join(', ')
  const groups = new Map<string, string[]>()
  for (const name of missing) {
    const at = name.indexOf('#')
    const group = name.slice(0, Math.max(at, 0))
    groups.set(group, [...(groups.get(group) ?? []), name.slice(at + 1)])
  }
  return [...groups]
    .map(([group, names]) => {
      const rest = names.length - NAMED_EACH_MAX
      const shown = names.slice(0, NAMED_EACH_MAX).join(', ')
      return `${group}#{${shown}${rest > 0 ? ` and ${rest} more` : ''}}`
    })
    .join(', ')
}

/** JavaScript toolchains import wasi:http unless they are told not to; its name alone does not say what to do. */
function hintFor(missing: readonly string[]): string {
  return missing.some((name) => name.startsWith('wasi:http/'))
    ? '; wasi:http is not granted to actors: build without it, import loom:http/fetch, or let the embedder provide it'
    : ''
}

export function importName(interfaceName: string, func: WitFunction): string {
  return interfaceName === '' ? func.name : `${interfaceName}#${func.name}`
}
