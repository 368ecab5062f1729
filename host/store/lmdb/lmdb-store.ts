/**
 * A store opened on an LMDB data folder.
 *
 * Owns: the Store contract: opening logs, enumerating actors, the life of environment and writer.
 * Does not own: the claim that made this process the host (claim.ts).
 *
 * Invariant LS1: a reader sees what is committed at each call, never a mixture of two states.
 */
import type { Digest } from '../../base/digest.ts'
import { invariant, LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { compareActors, ownKey, readOnlyError } from '../checks.ts'
import type {
  ActorLog,
  ActorRecord,
  ActorSummary,
  DueReminder,
  HostRecord,
  OutboxRow,
  QuarantineRow,
  ReminderRow,
  Store,
} from '../store.ts'
import { ActorState } from './actor-state.ts'
import { hostOf, readClaim } from './claim.ts'
import { republishHost } from './door.ts'
import type { Change, Environment } from './environment.ts'
import { forgetKeys } from './forget-keys.ts'
import { directoryKey, directoryRange, HOST_KEY } from './keys.ts'
import { firstSeqOf } from './lives.ts'
import { LmdbLog, type LogHome } from './lmdb-log.ts'
import { looseChanges, namedChanges, readLoose } from './loose-blobs.ts'
import { hasOpenTurn, openTurnPage } from './open-turns.ts'
import { readOutbox, type SettledMessage, settledChange } from './outbox.ts'
import { quarantineChange, quarantinePage, readQuarantine, releaseChange } from './quarantine.ts'
import { type DirectoryRow, decodeDirectory, encodeHost, type HostClaim } from './records.ts'
import { type DuePlace, dueReminders, nextReminderAtMs, readReminder } from './reminders.ts'
import { Sweeper } from './sweeper.ts'
import { Tail, textOf } from './tail.ts'
import { Writer } from './writer.ts'

/** Directory records are read in pages of this many, so that a listing never holds up the host. */
const ACTOR_PAGE_COUNT = 256

/** Of an actor that does not exist. */
const NO_STATE = new ActorState(0, 0)

/** Reason of a store that was closed. */
const closed = (): LoomError => new LoomError('ERR_CLOSING', 'the store is closed')

export class LmdbStore implements Store, LogHome {
  readonly epoch: number
  readonly environment: Environment
  readonly writer: Writer | null
  readonly sweeper: Sweeper | null
  #tail: Tail
  #claim: HostClaim | null
  #isClosed = false
  /** Digests repeat for every actor of a type: one string serves all. */
  readonly #digests = new Map<string, string>()

  constructor(environment: Environment, claim: HostClaim | null, checkpointCommits: number) {
    this.environment = environment
    this.epoch = claim?.epoch ?? 0
    this.#claim = claim
    this.#tail = Tail.load(environment)
    this.writer =
      claim === null ? null : new Writer(environment, this.#tail, claim.epoch, checkpointCommits)
    this.sweeper = this.writer === null ? null : new Sweeper(environment, this.writer, this.#tail)
  }

  async openLog(key: ActorKey): Promise<ActorLog> {
    this.#refresh()
    const own = ownKey(key)
    let found = this.#find(own)
    if (this.writer !== null && found.state.seqQueued > found.state.seqDurable) {
      // An earlier log of this actor has commits under way: what they leave behind is the start here.
      await this.writer.settle()
      this.#refresh()
      found = this.#find(own)
    }
    return new LmdbLog(this, own, found.record, found.state)
  }

  async *actors(type?: string): AsyncIterable<ActorSummary> {
    const { start, end } = directoryRange(type)
    let from = start
    this.#refresh()
    let created = this.#createdActors(type)
    for (;;) {
      this.#refresh()
      const rows = this.environment.range(from, end, ACTOR_PAGE_COUNT)
      const page = rows.map(({ value }) => this.#summary(decodeDirectory(value)))
      const last = page.at(-1)
      const isEnd = rows.length < ACTOR_PAGE_COUNT || last === undefined
      const due = isEnd ? created : created.filter((actor) => compareActors(actor, last) <= 0)
      created = created.slice(due.length)
      yield* merge(page, due)
      if (isEnd) return
      // The smallest key after the last one.
      from = Buffer.concat([directoryKey(last), Buffer.from([0])])
    }
  }

  async readHost(): Promise<HostRecord | null> {
    this.#refresh()
    return hostOf(readClaim(this.environment))
  }

  async dueReminders(
    atMs: number,
    countMax: number,
    after: DuePlace | null = null,
  ): Promise<readonly DueReminder[]> {
    this.#refresh()
    // Of an actor that is gone by now: from its time on.
    const actor = after === null ? 0 : this.#find(ownKey(after.key)).state.number
    const from = after === null ? null : { dueAtMs: after.dueAtMs, actor, name: after.name }
    return dueReminders(this.environment, atMs, countMax, from)
  }

  async readReminder(key: ActorKey, name: string): Promise<ReminderRow | null> {
    this.#refresh()
    const { number } = this.#find(ownKey(key)).state
    return number === 0 ? null : readReminder(this.environment, number, name)
  }

  async nextReminderAtMs(): Promise<number | null> {
    this.#refresh()
    return nextReminderAtMs(this.environment)
  }

  async outbox(after: OutboxRow | null, countMax: number): Promise<readonly OutboxRow[]> {
    this.#refresh()
    return readOutbox(this.environment, after, countMax)
  }

  settleOutbox(rows: readonly SettledMessage[]): Promise<void> {
    return this.#change(rows.map(settledChange))
  }

  async forgetKeys(beforeMs: number): Promise<number> {
    if (this.#isClosed) throw closed()
    if (this.writer === null) throw readOnlyError()
    return await forgetKeys(this.environment, this.writer, this.#tail, beforeMs)
  }

  async noteLoose(digests: readonly Digest[]): Promise<void> {
    if (this.#isClosed) throw closed()
    if (this.writer === null) throw readOnlyError()
    if (digests.length > 0)
      await this.writer.changeAhead(looseChanges(this.environment, this.epoch, digests))
  }

  async looseBlobs(after: Digest | null, countMax: number): Promise<readonly Digest[]> {
    this.#refresh()
    return readLoose(this.environment, this.epoch, after, countMax)
  }

  async forgetLoose(digests: readonly Digest[]): Promise<void> {
    await this.#change(namedChanges(digests))
  }

  async quarantine(row: QuarantineRow): Promise<void> {
    await this.#change([quarantineChange({ ...row, key: ownKey(row.key) })])
  }

  async release(key: ActorKey): Promise<void> {
    await this.#change([releaseChange(ownKey(key))])
  }

  async readQuarantine(key: ActorKey): Promise<QuarantineRow | null> {
    this.#refresh()
    return readQuarantine(this.environment, ownKey(key))
  }

  async *openTurns(): AsyncIterable<ActorKey> {
    for (let after: ActorKey | null = null; ; ) {
      this.#refresh()
      const { keys, isLast } = openTurnPage(this.environment, after)
      yield* keys
      after = keys.at(-1) ?? null
      if (isLast) return
    }
  }

  async hasOpenTurn(key: ActorKey): Promise<boolean> {
    this.#refresh()
    return hasOpenTurn(this.environment, ownKey(key))
  }

  async *quarantined(): AsyncIterable<QuarantineRow> {
    let after: ActorKey | null = null
    for (;;) {
      this.#refresh()
      const { rows, isLast } = quarantinePage(this.environment, after)
      yield* rows
      after = rows.at(-1)?.key ?? null
      if (isLast) return
    }
  }

  async #change(changes: readonly Change[]): Promise<void> {
    if (this.#isClosed) throw closed()
    if (this.writer === null) throw readOnlyError()
    if (changes.length > 0) await this.writer.change(changes)
  }

  async announce(address: string): Promise<void> {
    if (this.#isClosed) throw closed()
    if (this.writer === null || this.#claim === null) throw readOnlyError()
    this.#claim = { ...this.#claim, address }
    await this.writer.change([{ key: HOST_KEY, value: encodeHost(this.#claim) }])
    republishHost(this.environment.folder, this.#claim)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.sweeper?.stop()
      if (this.writer !== null && this.#claim !== null) {
        const last = { key: HOST_KEY, value: encodeHost({ ...this.#claim, live: false }) }
        await this.writer.stop(last, closed())
      }
    } finally {
      await this.environment.close()
    }
  }

  currentState(key: ActorKey, state: ActorState): ActorState {
    this.#refresh()
    if (this.writer === null) return this.#find(key).state
    return state.isEnded ? NO_STATE : state
  }

  #refresh(): void {
    if (this.#isClosed) throw closed()
    if (this.writer === null) this.#tail = Tail.reload(this.environment, this.#tail)
  }

  #find(key: ActorKey): { record: ActorRecord | null; state: ActorState } {
    const created = this.#tail.created.get(textOf(key))
    if (created !== undefined) {
      created.incarnation = created.create?.incarnation ?? ''
      return { record: this.#durableRecord(created), state: created }
    }
    const value = this.environment.get(directoryKey(key))
    if (value === undefined) return { record: null, state: new ActorState(0, 0) }
    const { actor, record } = decodeDirectory(value)
    const state =
      this.#tail.byNumber.get(actor) ?? new ActorState(actor, this.#tail.indexedCount(actor))
    invariant(state.number === actor, 'states are found by their number')
    state.incarnation = record.incarnation
    return { record: this.#interned(record), state }
  }

  #durableRecord(state: ActorState): ActorRecord | null {
    return state.seqDurable > 0 ? state.create : null
  }

  #interned(record: ActorRecord): ActorRecord {
    const digest = this.#digests.get(record.digest)
    if (digest !== undefined) return { ...record, digest }
    this.#digests.set(record.digest, record.digest)
    return record
  }

  #summary({ actor, record }: DirectoryRow): ActorSummary {
    const state = this.#tail.byNumber.get(actor)
    const seqNext = state?.seqDurable ?? this.#tail.indexedCount(actor)
    return { ...record, seqNext, seqFirst: firstSeqOf(this.environment, actor) }
  }

  /** Actors that the directory does not name yet, in order. */
  #createdActors(type: string | undefined): ActorSummary[] {
    const found: ActorSummary[] = []
    for (const state of this.#tail.created.values()) {
      const record = this.#durableRecord(state)
      if (record !== null && (type === undefined || record.type === type))
        found.push({
          ...record,
          seqNext: state.seqDurable,
          seqFirst: firstSeqOf(this.environment, state.number),
        })
    }
    return found.sort(compareActors)
  }
}

/** Both lists in one order; of an actor in both (indexed in between) the listed one counts. */
function* merge(
  listed: readonly ActorSummary[],
  created: readonly ActorSummary[],
): Generator<ActorSummary> {
  let at = 0
  for (const actor of listed) {
    let next = created[at]
    while (next !== undefined && compareActors(next, actor) <= 0) {
      if (compareActors(next, actor) < 0) yield next
      next = created[++at]
    }
    yield actor
  }
  yield* created.slice(at)
}
