/**
 * Queries: methods that only look. They run on a copy of the state as of the last finished turn.
 *
 * Guarantee to callers: a query sees a whole number of turns, all of them durable when it is answered; it changes
 * nothing and leaves nothing in the journal, whatever its code does. It does not wait for the turn that runs.
 *
 * Owns: the image that queries run on, running them. Does not own: which methods are queries (the type's).
 *
 * Invariants:
 *   Q1. The image is that before the turn that runs, or after the last one: it is taken before a turn begins,
 *       because a turn that waits leaves memory that is neither.
 *   Q2. Each query has a body of its own, dropped afterwards.
 */
import { LoomError } from '../../base/errors.ts'
import { formatActorKey } from '../../base/names.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { RecordedCall, TurnOutcome } from '../../journal/entry.ts'
import type { JournalTail } from '../journal/journal-tail.ts'
import type { CallHead } from '../mailbox/invocation.ts'
import { type LocalCaller, outcomeOf, returned } from '../mailbox/local-call.ts'
import { commitError, failureOf } from '../mailbox/outcomes.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import { TurnEngine } from '../turn/turn-engine.ts'
import type { LiveTurn } from '../turn/turn-step.ts'

interface Image {
  readonly bytes: Uint8Array
  /** What instantiation was told by the host. */
  readonly startCalls: readonly RecordedCall[]
}

export class Queries {
  readonly #program: ActorProgram
  readonly #environment: EngineEnvironment
  readonly #names: ReadonlySet<string>
  #image: Image | null = null

  constructor(program: ActorProgram, environment: EngineEnvironment, names: ReadonlySet<string>) {
    this.#program = program
    this.#environment = { ...environment, development: false, parkedTurns: null }
    this.#names = names
  }

  has(method: string): boolean {
    return this.#names.size > 0 && this.#names.has(method)
  }

  /** A turn begins on `engine` (Q1). */
  turnBegins(engine: TurnEngine): void {
    if (this.#names.size > 0) this.#image ??= this.#take(engine)
  }

  /** A turn has changed the state. */
  turnReturned(): void {
    this.#image = null
  }

  #take(engine: TurnEngine): Image | null {
    // An image that cannot be restored is of no use (program.ts uncaptured).
    if (this.#program.uncaptured !== null) return null
    return { bytes: engine.capture(), startCalls: engine.startCalls }
  }

  /** @throws ERR_OPTION when the method is none. */
  check(method: string): void {
    if (this.has(method)) return
    const actor = formatActorKey(this.#environment.key)
    throw new LoomError('ERR_OPTION', `${method} is no query of ${actor}`)
  }

  /** For an actor of this host, whose own commits come behind what the query saw (SF1). */
  async callLocally(
    engine: TurnEngine | null,
    head: CallHead,
    { end }: Pick<JournalTail, 'end'>,
    caller: LocalCaller,
  ): Promise<TurnOutcome> {
    try {
      return returned(await this.run(engine, head))
    } catch (error) {
      return outcomeOf(error)
    } finally {
      caller.tail.restOn(end)
    }
  }

  /** As `run`, answered when what it saw is durable. @throws ERR_COMMIT, ERR_FENCED */
  async ask(
    engine: TurnEngine | null,
    head: CallHead,
    { last }: Pick<JournalTail, 'last'>,
  ): Promise<WitValue> {
    const value = await this.run(engine, head)
    try {
      await last
    } catch (error) {
      throw commitError(this.#environment.key, error)
    }
    return value
  }

  /**
   * Runs a query. `engine`: that of the actor, at rest unless a turn has begun; null before its first turn, and
   * while it is rebuilt.
   * @throws what its code throws; ERR_QUERY when it asks for an effect or calls an actor.
   */
  async run(engine: TurnEngine | null, { method, args, caller }: CallHead): Promise<WitValue> {
    const { uncaptured } = this.#program
    if (uncaptured !== null)
      throw new LoomError(
        'ERR_QUERY',
        `${method.name}: no copy can be made: the component ${uncaptured}`,
      )
    if (engine !== null) this.#image ??= this.#take(engine)
    const image = this.#image
    const turn: LiveTurn = { method, args, caller, idempotencyKey: null, open: () => {} }
    const calls: RecordedCall[] = []
    let invocationId: string | null = null
    for (;;) {
      const body = this.#body(image)
      const step = await body.runQuery(turn, { calls, invocationId })
      body.release()
      if (step.kind === 'finished') {
        const { outcome } = step
        if (outcome.kind === 'returned') return outcome.value
        throw failureOf(outcome)
      }
      // A recorded function that answers later: the query is run again with its answer.
      const { target, argsHash } = step.suspension
      invocationId = step.invocationId
      calls.push({ target, argsHash, result: await step.suspension.result() })
    }
  }

  #body(image: Image | null): TurnEngine {
    if (image === null) return TurnEngine.startLive(this.#program, this.#environment).engine
    const engine = TurnEngine.startReplay(this.#program, this.#environment, image.startCalls)
    engine.restore(image.bytes)
    return engine
  }
}
