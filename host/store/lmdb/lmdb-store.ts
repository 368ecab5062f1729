/**
 * A store opened on an LMDB data folder.
 *
 * Owns: the Store contract: opening logs, enumerating actors, the life of environment and writer.
 * Does not own: the claim that made this process the host (claim.ts).
 *
 * Invariant LS1: a reader sees what is committed at each call, never a mixture of two states.
 */
import { invariant, LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { compareActors, ownKey, readOnlyError } from '../checks.ts'
import type { ActorLog, ActorRecord, ActorSummary, HostRecord, Store } from '../store.ts'
import { ActorState } from './actor-state.ts'
import { hostOf, readClaim } from './claim.ts'
import { republishHost } from './door.ts'
import type { Environment } from './environment.ts'
import { directoryKey, directoryRange, HOST_KEY } from './keys.ts'
import { LmdbLog, type LogHome } from './lmdb-log.ts'
import { type DirectoryRow, decodeDirectory, encodeHost, type HostClaim } from './records.ts'
import { Tail, textOf } from './tail.ts'
import { Writer } from './writer.ts'

/** Directory records are read in pages of this many, so that a listing never holds up the host. */
const ACTOR_PAGE_COUNT = 256

/** Reason of a store that was closed. */
const closed = (): LoomError => new LoomError('ERR_CLOSING', 'the store is closed')

export class LmdbStore implements Store, LogHome {
  readonly epoch: number
  readonly environment: Environment
  readonly writer: Writer | null
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
  }

  async openLog(key: ActorKey): Promise<ActorLog> {
    this.#refresh()
    const own = ownKey(key)
    let found = this.#find(own)
    if (this.writer !== null && found.state.seqQueued > found.state.seqDurable) {
      // An earlier log of this actor has commits under way: what they leave behind is the start here.
      await this.writer.drain()
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

  async announce(address: string): Promise<void> {
    if (this.#isClosed) throw closed()
    if (this.writer === null || this.#claim === null) throw readOnlyError()
    this.#claim = { ...this.#claim, address }
    await this.writer.put({ key: HOST_KEY, value: encodeHost(this.#claim) })
    republishHost(this.environment.folder, this.#claim)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
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
    return this.writer === null ? this.#find(key).state : state
  }

  #refresh(): void {
    if (this.#isClosed) throw closed()
    if (this.writer === null) this.#tail = Tail.reload(this.environment, this.#tail)
  }

  #find(key: ActorKey): { record: ActorRecord | null; state: ActorState } {
    const created = this.#tail.created.get(textOf(key))
    if (created !== undefined) return { record: this.#durableRecord(created), state: created }
    const value = this.environment.get(directoryKey(key))
    if (value === undefined) return { record: null, state: new ActorState(0, 0) }
    const { actor, record } = decodeDirectory(value)
    const state =
      this.#tail.byNumber.get(actor) ?? new ActorState(actor, this.#tail.indexedCount(actor))
    invariant(state.number === actor, 'states are found by their number')
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
    return { ...record, seqNext: state?.seqDurable ?? this.#tail.indexedCount(actor) }
  }

  /** Actors that the directory does not name yet, in order. */
  #createdActors(type: string | undefined): ActorSummary[] {
    const found: ActorSummary[] = []
    for (const state of this.#tail.created.values()) {
      const record = this.#durableRecord(state)
      if (record !== null && (type === undefined || record.type === type))
        found.push({ ...record, seqNext: state.seqDurable })
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
