/**
 * Keyed state: what an actor's turns read, while the commits of earlier turns are on their way.
 *
 * Owns: values that are committed but not durable yet. Does not own: what the running turn has written
 * (turn-engine.ts), durable values (store/).
 *
 * Invariant KS1: a turn reads what all turns before it wrote (A3), although the store returns durable values only.
 */
import { isThenable } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import { unpackValue } from '../../journal/values.ts'
import type { ActorLog, StateChange, StateRow } from '../../store/store.ts'
import { mergeKeys } from '../turn/effects.ts'

interface Pending {
  /** Null where it is deleted. */
  readonly value: Uint8Array | null
  readonly seq: number
}

const isDeleted = ({ value }: Pending): boolean => value === null

export class KeyedState {
  readonly #log: Pick<ActorLog, 'readState' | 'listState'>
  /** The newest change of each key whose commit is pending, and the seq of that commit. */
  readonly #pending = new Map<string, Pending>()

  constructor(log: Pick<ActorLog, 'readState' | 'listState'>) {
    this.#log = log
  }

  /** Changes that were appended at `seq`. */
  add(changes: readonly StateChange[], seq: number): void {
    for (const { key, value } of changes) this.#pending.set(key, { value, seq })
  }

  /** The commit at `seq` is durable: the store returns it from now on. */
  settle(changes: readonly StateChange[], seq: number): void {
    for (const { key } of changes)
      if (this.#pending.get(key)?.seq === seq) this.#pending.delete(key)
  }

  /** Undefined when there is none. */
  read(key: string): WitValue | PromiseLike<WitValue> {
    const pending = this.#pending.get(key)
    const found = pending === undefined ? this.#log.readState(key) : pending.value
    return isThenable(found) ? found.then(unpacked) : unpacked(found)
  }

  list(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly string[] | PromiseLike<readonly string[]> {
    const rows = this.#log.listState(prefix, after, countMax + this.#pending.size)
    const keys = (found: readonly StateRow[]): readonly string[] => {
      const stored = found.map(({ key }) => key)
      return mergeKeys(stored, this.#pending, isDeleted, prefix, after).slice(0, countMax)
    }
    return isThenable(rows) ? rows.then(keys) : keys(rows)
  }
}

function unpacked(bytes: Uint8Array | null): WitValue {
  return bytes === null ? undefined : (unpackValue(bytes) as WitValue)
}
