/**
 * Turn reader: a journal's entries as turns, those of several entries put together.
 *
 * Owns: the grammar of a journal: created, then (turn | opened continued* closed)*; only the end may be
 * in the middle of an opened turn.
 * Does not own: bytes (journal/codec.ts), what is done with turns.
 */
import { isLoomError, LoomError } from '../../base/errors.ts'
import { formatActorKey } from '../../base/names.ts'
import { decodeEntry } from '../../journal/codec.ts'
import type { JournalEntry, OpenedEntry, RecordedCall, TurnEntry } from '../../journal/entry.ts'
import type { ActorLog, JournalRow } from '../../store/store.ts'

/** Entries read at once: bounds memory, and amortises a round trip to the store. */
const PAGE_ENTRIES = 1_024

export type ReadableLog = Pick<ActorLog, 'key' | 'read'>

/** A turn that awaits a host call, as far as the journal has it. */
export interface OpenTurn {
  /** Seq of its opened entry. */
  readonly seq: number
  readonly head: OpenedEntry
  /** Everything that it has recorded. */
  readonly calls: readonly RecordedCall[]
}

/**
 * What is done with a turn: `seq` is that of its first entry, `seqAfter` that behind its last one, `entry` the turn
 * as one entry, however many it had. The next turn waits for the promise, if it returns one.
 */
export type VisitTurn = (seq: number, seqAfter: number, entry: TurnEntry) => void | Promise<void>

export function damagedJournal(name: string, seq: number, reason: string): LoomError {
  return new LoomError('ERR_JOURNAL_CORRUPT', `${name}: journal entry ${seq}: ${reason}`, {
    data: { actor: name, seq },
  })
}

/** Decodes an entry; its error names the actor as well. @throws ERR_JOURNAL_CORRUPT */
export function decodeNamed(name: string, row: JournalRow): JournalEntry {
  try {
    return decodeEntry(row.seq, row.bytes)
  } catch (error) {
    if (!isLoomError(error)) throw damagedJournal(name, row.seq, 'its payload cannot be read')
    throw new LoomError(error.code, `${name}: ${error.message}`, {
      data: { ...error.data, actor: name },
    })
  }
}

/** Entries `seqFrom` to `seqNext - 1`. @throws ERR_JOURNAL_CORRUPT when one is damaged or missing. */
export async function* readEntries(
  log: ReadableLog,
  seqFrom: number,
  seqNext: number,
): AsyncGenerator<readonly JournalRow[]> {
  const name = formatActorKey(log.key)
  let seq = seqFrom
  while (seq < seqNext) {
    const rows = await log.read(seq, Math.min(PAGE_ENTRIES, seqNext - seq))
    if (rows.length === 0) throw damagedJournal(name, seq, 'the entry is missing')
    for (const row of rows)
      if (row.seq !== seq++) throw damagedJournal(name, seq - 1, 'the entry is missing')
    yield rows
  }
}

export class TurnReader {
  readonly #log: ReadableLog
  readonly #name: string
  readonly #seqFrom: number
  readonly #seqNext: number
  #open: OpenTurn | null = null

  /** `seqFrom` must be the first entry of a turn, or `seqNext`. */
  constructor(log: ReadableLog, seqFrom: number, seqNext: number) {
    this.#log = log
    this.#name = formatActorKey(log.key)
    this.#seqFrom = seqFrom
    this.#seqNext = seqNext
  }

  /** After `each` has ended: the turn that the journal ends in the middle of, or null. */
  get openTurn(): OpenTurn | null {
    return this.#open
  }

  /**
   * Visits whole turns in order, and pauses only between pages: a pause costs as much as a turn.
   * @throws ERR_JOURNAL_CORRUPT (data: seq)
   */
  async each(visit: VisitTurn): Promise<void> {
    for await (const rows of readEntries(this.#log, this.#seqFrom, this.#seqNext))
      for (const row of rows) {
        const { seq } = row
        const entry = decodeNamed(this.#name, row)
        const isWhole = entry.kind === 'turn' && this.#open === null
        const visited = isWhole ? visit(seq, seq + 1, entry) : this.#take(seq, entry, visit)
        if (visited !== undefined) await visited
      }
  }

  /** Takes a part of a turn of several entries; its last part is visited as the whole. */
  #take(seq: number, entry: JournalEntry, visit: VisitTurn): void | Promise<void> {
    const open = this.#open
    const expected = open === null ? ['turn', 'opened'] : ['continued', 'closed']
    if (!expected.includes(entry.kind))
      throw damagedJournal(
        this.#name,
        seq,
        `"${entry.kind}" where ${expected.join(' or ')} belongs`,
      )
    if (entry.kind === 'opened') this.#open = { seq, head: entry, calls: entry.calls }
    if (open === null || (entry.kind !== 'continued' && entry.kind !== 'closed')) return undefined
    const calls = [...open.calls, ...entry.calls]
    if (entry.kind === 'continued') {
      this.#open = { ...open, calls }
      return undefined
    }
    this.#open = null
    const { effects, outcome } = entry
    return visit(open.seq, seq + 1, { ...open.head, kind: 'turn', calls, effects, outcome })
  }
}
