/**
 * The disk of a memory driver.
 *
 * Owns: what outlives a store: data, the epoch, and the faults that wait for the next commit.
 * Does not own: when a write reaches it, and whether the writer may (memory-store.ts).
 */
import type { Digest } from '../../base/digest.ts'
import { invariant, LoomError } from '../../base/errors.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import { compareActors, compareText } from '../checks.ts'
import type {
  ActorRecord,
  ActorSummary,
  DueReminder,
  HostRecord,
  OutboxRow,
  QuarantineRow,
  ReminderRow,
  StoreOpenOptions,
} from '../store.ts'

/** One life of an actor as the disk holds it. */
export interface Cell {
  readonly record: ActorRecord
  /** Null where an entry was given up. */
  readonly entries: (Uint8Array | null)[]
  readonly keys: Map<string, { readonly seq: number; readonly atMs: number }>
  readonly snapshots: Map<number, { bytes: Uint8Array; rejected: boolean }>
  readonly state: Map<string, Uint8Array>
  readonly reminders: Map<string, ReminderRow>
  seqFirst: number
}

export function newCell(record: ActorRecord): Cell {
  const entries: (Uint8Array | null)[] = []
  const [keys, snapshots, state, reminders] = [new Map(), new Map(), new Map(), new Map()]
  return { record, entries, keys, snapshots, state, reminders, seqFirst: 1 }
}

export class Disk {
  readonly cells = new Map<string, Cell>()
  /** Cells that may have reminders, so that looking for the next one does not visit every actor. */
  readonly reminding = new Set<Cell>()
  readonly outbox = new Map<string, OutboxRow>()
  /** Actors whose journal ends in the middle of a turn. */
  readonly openTurns = new Map<string, ActorKey>()
  readonly quarantined = new Map<string, QuarantineRow>()
  /** Blobs that no entry names, and the epoch of the host that noted it. */
  readonly loose = new Map<Digest, number>()
  epoch = 0
  host: HostRecord | null = null
  failNext: LoomError | null = null
  held: (() => void)[] | null = null
  beforeWrite: (() => void) | null = null

  summaries(type: string | undefined): ActorSummary[] {
    return [...this.cells.values()]
      .filter((cell) => type === undefined || cell.record.type === type)
      .map(({ record, entries, seqFirst }) => ({ ...record, seqNext: entries.length, seqFirst }))
      .sort(compareActors)
  }

  /** All reminders, soonest first. */
  reminders(): DueReminder[] {
    const found: DueReminder[] = []
    for (const cell of this.reminding) {
      const { type, id } = cell.record
      if (cell.reminders.size === 0) this.reminding.delete(cell)
      for (const row of cell.reminders.values()) found.push({ ...row, key: { type, id } })
    }
    return found.sort(compareDue)
  }

  /** Ends a life: all of it is gone but its messages. */
  end(cell: Cell): void {
    invariant(this.cells.get(cellKey(cell.record)) === cell, 'a life ends once')
    this.cells.delete(cellKey(cell.record))
    this.reminding.delete(cell)
    this.openTurns.delete(cellKey(cell.record))
  }

  /** Resolves when the disk takes the next write: at once, unless commits are held. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
    while (this.held !== null) {
      const { held } = this
      await new Promise<void>((resolve) => {
        held.push(resolve)
      })
    }
    this.beforeWrite?.()
  }

  claim(options: StoreOpenOptions): number {
    invariant(options.readOnly !== true, 'a reader makes no claim')
    if (this.host !== null && options.takeOver !== true)
      throw new LoomError('ERR_DATA_OWNED', `process ${this.host.pid} has this store open`, {
        data: { pid: this.host.pid, address: this.host.address },
      })
    this.epoch++
    this.host = {
      pid: process.pid,
      processStart: null,
      epoch: this.epoch,
      claimedAtMs: options.wallMs(),
      address: null,
    }
    return this.epoch
  }
}

/** Soonest first. */
export function compareDue(
  a: Pick<DueReminder, 'dueAtMs' | 'key' | 'name'>,
  b: Pick<DueReminder, 'dueAtMs' | 'key' | 'name'>,
): number {
  return a.dueAtMs - b.dueAtMs || compareActors(a.key, b.key) || compareText(a.name, b.name)
}

/** Where a message stands among all: in order of sender, then seq. */
export function compareMessages(a: OutboxRow, b: OutboxRow): number {
  return (
    compareActors(a.sender, b.sender) ||
    compareText(a.incarnation, b.incarnation) ||
    a.seq - b.seq ||
    a.index - b.index
  )
}

export function messageKey(
  row: Pick<OutboxRow, 'sender' | 'incarnation' | 'seq' | 'index'>,
): string {
  return `${cellKey(row.sender)}\0${row.incarnation}\0${row.seq}\0${row.index}`
}

export function cellKey(key: ActorKey): string {
  return formatActorKey(key)
}
