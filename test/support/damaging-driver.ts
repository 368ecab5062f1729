// A store driver that damages what it reads, as a disk that rots does. Fault model: single entries or
// snapshots come back with one bit flipped, or not at all; what is on the "disk" stays as it was.
import type {
  ActorLog,
  JournalRow,
  SnapshotRow,
  Store,
  StoreDriver,
} from '../../host/store/store.ts'

export interface Damage {
  /** Seq of entries that come back with a bit flipped. */
  readonly entries?: ReadonlySet<number>
  /** Seq of the first entry that is missing, with all behind it. */
  readonly missingFrom?: number
  /** Seq of snapshots that come back with a bit flipped. */
  readonly snapshots?: ReadonlySet<number>
  /** Changes a snapshot's bytes at will. */
  readonly rewriteSnapshot?: (row: SnapshotRow) => Uint8Array
  /** Changes an entry's bytes at will. */
  readonly rewrite?: (row: JournalRow) => Uint8Array
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const middle = copy.length >> 1
  copy[middle] = (copy[middle] ?? 0) ^ 1
  return copy
}

function damagedLog(log: ActorLog, damage: Damage, rejected: number[]): ActorLog {
  const damageRow = (row: JournalRow): JournalRow => {
    const bytes = damage.rewrite?.(row) ?? row.bytes
    return { seq: row.seq, bytes: damage.entries?.has(row.seq) ? flipped(bytes) : bytes }
  }
  return {
    key: log.key,
    record: log.record,
    seqNext: log.seqNext,
    seqFirst: log.seqFirst,
    get broken() {
      return log.broken
    },
    append: (commit) => log.append(commit),
    findIdempotent: (key) => log.findIdempotent(key),
    forgetKey: (key) => log.forgetKey(key),
    readState: (key) => log.readState(key),
    listState: (prefix, after, countMax) => log.listState(prefix, after, countMax),
    listReminders: () => log.listReminders(),
    trim: (seqBefore) => log.trim(seqBefore),
    writeSnapshot: (snapshot) => log.writeSnapshot(snapshot),
    async read(seqFrom, countMax) {
      const rows = await log.read(seqFrom, countMax)
      return rows.filter((row) => row.seq < (damage.missingFrom ?? Infinity)).map(damageRow)
    },
    async readSnapshot(seqMax): Promise<SnapshotRow | null> {
      const stored = await log.readSnapshot(seqMax)
      const bytes = stored === null ? undefined : damage.rewriteSnapshot?.(stored)
      const row = stored === null || bytes === undefined ? stored : { seq: stored.seq, bytes }
      if (row === null || !damage.snapshots?.has(row.seq)) return row
      return { seq: row.seq, bytes: flipped(row.bytes) }
    },
    async rejectSnapshot(seq) {
      rejected.push(seq)
      await log.rejectSnapshot(seq)
    },
  }
}

export interface DamagingDriver extends StoreDriver {
  /** Seq of snapshots that were rejected, in order. */
  readonly rejected: readonly number[]
}

/** `inner`, with `damage` done to the logs of actors whose id is `id`. */
export function damagingDriver(inner: StoreDriver, id: string, damage: Damage): DamagingDriver {
  const rejected: number[] = []
  return {
    name: inner.name,
    rejected,
    async open(options) {
      const store = await inner.open(options)
      return new Proxy(store, {
        get(target, property) {
          if (property === 'openLog')
            return async (key: ActorLog['key']) => {
              const log = await target.openLog(key)
              return key.id === id ? damagedLog(log, damage, rejected) : log
            }
          const value = Reflect.get(target, property) as unknown
          return typeof value === 'function' ? value.bind(target) : value
        },
      }) as Store
    },
  }
}
