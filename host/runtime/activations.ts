/**
 * Activations: how an actor of this host becomes hot, and what its activation is given.
 *
 * Owns: opening, lifting, the snapshot of a warm actor, and what follows when an activation breaks.
 * Does not own: when any of that happens (pool/), what an activation does (actor/).
 *
 * Invariant AV1: where commits were reported as failed, what they may have left in the store is taken up before the
 * actor's next activation sends anything. So is what an actor sent in an earlier host: messages keep their order.
 */
import { Activation } from '../actor/activation/activation.ts'
import type { ActivationOptions } from '../actor/activation/activation-options.ts'
import { type WarmActor, writeWarmSnapshot } from '../actor/activation/warm-actor.ts'
import type { JournalPolicy } from '../actor/journal/journal-retention.ts'
import type { ParkedTurns } from '../actor/turn/parked-turns.ts'
import type { Clock } from '../base/clock.ts'
import { type LoomError, toLoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { Random } from '../base/random.ts'
import type { Fetcher } from '../hostcalls/fetch.ts'
import type { Pool } from '../pool/pool.ts'
import type { Store } from '../store/store.ts'
import type { ActorCalls } from './actor-calls.ts'
import type { LogLine, RuntimeLimits } from './api.ts'
import { isKeyAwaited } from './awaited-keys.ts'
import type { DeepReplays } from './deep-replay.ts'
import type { OpenTurns } from './open-turns.ts'
import type { Outbox } from './outbox.ts'
import type { Quarantines } from './quarantines.ts'
import type { Reminders } from './reminders.ts'
import type { TypeRegistry } from './type-registry.ts'

/** The parts of a host that its activations reach. */
export interface ActivationsHome {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly limits: RuntimeLimits
  /** Unless the actor's type says otherwise. */
  readonly journal: JournalPolicy
  readonly development: boolean
  /** Open turns go on by themselves. */
  readonly resumes: boolean
  readonly log: (line: LogLine) => void
  readonly types: TypeRegistry
  readonly parkedTurns: ParkedTurns | null
  readonly fetcher: Fetcher
  readonly pool: Pool
  readonly calls: ActorCalls
  readonly outbox: Outbox
  readonly reminders: Reminders
  readonly openTurns: OpenTurns
  readonly quarantines: Quarantines
  readonly deep: DeepReplays
  readonly lose: (error: LoomError) => void
}

export class Activations {
  readonly #home: ActivationsHome
  /** Actors whose last activation broke with loose ends. */
  readonly #unsure = new Set<string>()

  constructor(home: ActivationsHome) {
    this.#home = home
  }

  /** Of a cold actor. What keeps it from being rebuilt is noted. */
  async activate(key: ActorKey, onBroken: () => void): Promise<Activation> {
    const { quarantines } = this.#home
    await quarantines.refuse(key)
    try {
      return await this.#open(key, onBroken)
    } catch (error) {
      const failure = toLoomError(error)
      await quarantines.note(key, failure)
      throw failure
    }
  }

  async #open(key: ActorKey, onBroken: () => void): Promise<Activation> {
    const { store, types } = this.#home
    const log = await store.openLog(key)
    await this.#takeUp(key)
    const { record } = log
    const program = await (record === null ? types.current(key.type) : types.pinned(record))
    return await Activation.open(this.#options({ log, program, record }, onBroken))
  }

  lift(actor: WarmActor, onBroken: () => void): Activation {
    return Activation.lift(this.#options(actor, onBroken), actor)
  }

  /** Without its snapshot a warm actor loses nothing: recovery replays more. A fenced host learns it here too. */
  async snapshot(actor: WarmActor): Promise<void> {
    const { store, log } = this.#home
    try {
      await writeWarmSnapshot(actor, store.epoch)
    } catch (error) {
      const message = `no snapshot at ${actor.seqNext}: ${String(error)}`
      log({ level: 'warn', message, actor: actor.log.key })
    }
  }

  #options(
    { log, program, record }: Pick<ActivationOptions, 'log' | 'program' | 'record'>,
    onBroken: () => void,
  ): ActivationOptions {
    const { key } = log
    const home = this.#home
    const { clock, random, parkedTurns, development, limits, types } = home
    return {
      log,
      program,
      record,
      environment: {
        key,
        incarnation: record?.incarnation ?? random.id(),
        clock,
        random,
        parkedTurns,
        log: (level, message) =>
          home.log({ level: level as LogLine['level'], message, actor: key }),
        ports: null,
        development,
      },
      fetch: (request, idempotencyKey) => {
        const gate = types.fetchGate(key.type)
        return home.fetcher.fetch({ actorType: key.type, gate, idempotencyKey }, request)
      },
      callActor: (caller, call, callId, isNew) => home.calls.call(caller, call, callId, isNew),
      isAwaited: (caller, callId) => isKeyAwaited(home, caller, callId),
      onSent: (messages) => home.outbox.add(messages),
      onReminders: (changes) => home.reminders.changed(key, changes),
      deepReplay: (suffix) => home.deep.image(suffix),
      queries: types.queriesOf(key.type),
      onTick: () => home.pool.peek(formatActorKey(key)),
      epoch: home.store.epoch,
      mailboxCountMax: limits.mailboxCountMax,
      mailboxBytesMax: limits.mailboxBytesMax,
      snapshotIntervalTurns: limits.snapshotIntervalTurns,
      snapshotIntervalBytes: limits.snapshotIntervalBytes,
      snapshotIntervalMs: limits.snapshotIntervalMs,
      journal: types.journal(key.type) ?? home.journal,
      onBroken: (error, looseEnds) => {
        onBroken()
        if (looseEnds) this.#takeUpLater(key)
        ignoreOutcome(home.quarantines.note(key, error))
        if (error.code === 'ERR_FENCED') home.lose(error)
      },
    }
  }

  /** Its last commits were reported as failed, and may be durable: what they ask for goes on without a call. */
  #takeUpLater(key: ActorKey): void {
    this.#unsure.add(formatActorKey(key))
    if (this.#home.resumes) this.#home.openTurns.add(key)
  }

  /** AV1. */
  async #takeUp(key: ActorKey): Promise<void> {
    const { outbox, reminders } = this.#home
    const isUnsure = this.#unsure.has(formatActorKey(key))
    if (isUnsure || !outbox.isStarted) await outbox.takeUp(key)
    if (!isUnsure) return
    reminders.start()
    this.#unsure.delete(formatActorKey(key))
  }
}
