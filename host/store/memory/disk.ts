/**
 * The disk of a memory driver.
 *
 * Owns: what outlives a store: data, the epoch, and the faults that wait for the next commit.
 * Does not own: when a write reaches it, and whether the writer may (memory-store.ts).
 */
import { invariant, LoomError } from '../../base/errors.ts'
import { formatActorKey } from '../../base/names.ts'
import { compareActors } from '../checks.ts'
import type { ActorRecord, ActorSummary, HostRecord, StoreOpenOptions } from '../store.ts'

/** One actor as the disk holds it. */
export interface Cell {
  readonly record: ActorRecord
  readonly entries: Uint8Array[]
  readonly keys: Map<string, number>
  readonly snapshots: Map<number, { bytes: Uint8Array; rejected: boolean }>
}

export class Disk {
  readonly cells = new Map<string, Cell>()
  epoch = 0
  host: HostRecord | null = null
  failNext: LoomError | null = null
  held: (() => void)[] | null = null

  summaries(type: string | undefined): ActorSummary[] {
    return [...this.cells.values()]
      .filter((cell) => type === undefined || cell.record.type === type)
      .map((cell) => ({ ...cell.record, seqNext: cell.entries.length }))
      .sort(compareActors)
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

export function cellKey(key: { type: string; id: string }): string {
  return formatActorKey(key)
}
