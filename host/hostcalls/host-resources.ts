/**
 * Host resources: what the handles that a guest got from the host stand for.
 *
 * Owns: the representations of one actor, each with plain data. Does not own: handles (component/abi/handles.ts),
 * what the data means (the interface that added it).
 *
 * Invariants:
 *   HR1. The table is part of the actor's state: it is captured with the instance, and changed by pure code
 *        only, so that a replay makes the same representations.
 *   HR2. A representation is never given out twice; 0 is left to interfaces whose resources need no data.
 *   HR3. Data is what a journal can hold: it says everything about the resource, and refers to nothing that
 *        lives in this process.
 */
import { LoomError } from '../base/errors.ts'
import type { StateTable } from '../component/component.ts'
import type { WitValue } from '../component/wit/wit.ts'
import { packValue, unpackValue } from '../journal/values.ts'

const REP_MAX = 0xffff_ffff

export class HostResources implements StateTable {
  #next = 1
  /** In the order of adding, which is that of representations. */
  #entries = new Map<number, WitValue>()

  /** Keeps `data` and returns its representation. */
  add(data: WitValue): number {
    if (this.#next > REP_MAX)
      throw new LoomError('ERR_HOST_CALL', 'the actor has used up the representations of resources')
    const rep = this.#next++
    this.#entries.set(rep, data)
    return rep
  }

  get(rep: number): WitValue {
    if (!this.#entries.has(rep))
      throw new LoomError('ERR_INVARIANT', `the host has no resource ${rep}`)
    return this.#entries.get(rep)
  }

  remove(rep: number): void {
    this.#entries.delete(rep)
  }

  save(): Uint8Array {
    return packValue([this.#next, ...[...this.#entries].flat()])
  }

  load(saved: Uint8Array): void {
    let fields: unknown
    try {
      fields = unpackValue(saved)
    } catch (error) {
      throw corrupt(error)
    }
    if (!Array.isArray(fields) || fields.length % 2 !== 1) throw corrupt()
    const [next, ...pairs] = fields as WitValue[]
    const entries = new Map<number, WitValue>()
    for (let index = 0; index < pairs.length; index += 2) {
      const rep = pairs[index]
      if (typeof rep !== 'number' || !(rep < Number(next))) throw corrupt()
      entries.set(rep, pairs[index + 1])
    }
    if (typeof next !== 'number' || !Number.isInteger(next) || next < 1) throw corrupt()
    this.#next = next
    this.#entries = entries
  }
}

function corrupt(cause?: unknown): LoomError {
  return new LoomError('ERR_SNAPSHOT_CORRUPT', 'table of host resources: malformed', { cause })
}
