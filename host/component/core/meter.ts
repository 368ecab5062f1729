/**
 * Meter: the counters of one instance, and why it was stopped.
 *
 * Owns: what the two counters that all core instances of a component instance share are set to, what host calls and
 * values may cost, and the errors when any of it is used up. Does not own: where guest code charges (fuel.ts), where
 * the counters are (instrument.ts IN5, counters.ts).
 *
 * Invariants:
 *   ME1. The counters are no state of the guest: it cannot read them, and no image holds them.
 *   ME2. Whoever was stopped stays stopped: the counter is below 0, and every further charge traps.
 *   ME3. Without limits (replay) nothing is ever used up: a turn that returned once returns again.
 */
import { LoomError } from '../../base/errors.ts'
import { VALUE_SIZE_MAX_BYTES } from '../../base/limits.ts'
import type { GuestLimits, InstanceState } from '../component.ts'
import { sharedCounters } from './counters.ts'
import {
  CHANGING_ELEMENT_SIZE_BYTES,
  STOPPED_BY_HOST_MEMORY,
  STOPPED_BY_MEMORY_LIMIT,
  UNLIMITED,
} from './fuel-write.ts'
import { FUEL_INDEX, type GlobalAccess, ROOM_INDEX } from './global-access.ts'

const PAGE_SIZE_BYTES = 65_536

/** A recorded host call takes a microsecond or two; a million of them are a turn's. Units: fuel. */
export const HOST_CALL_COST = 2_000
/** A built-in of resources is a look at a table. */
export const BUILTIN_COST = 200
/** What the host reads of arguments: copied, checked, hashed. Units: fuel per byte. */
export const LIFTED_BYTE_COST = 0.25
/** What it makes of them one by one, by what a value takes: objects, texts, numbers in lists. Units: fuel per byte. */
export const MADE_BYTE_COST = 8
/** A list of its own: those of numbers are arrays that the engine is slow to make. */
export const LIST_COST = 500
/** Parameters and results of a function up to so many bytes are part of its call. */
const CALL_SIZE_BYTES = 512

/** What a call of a function costs whose parameters and results take `sizeBytes`, not counting lists and strings. */
export function hostCallCost(sizeBytes: number): number {
  return HOST_CALL_COST + MADE_BYTE_COST * Math.max(0, sizeBytes - CALL_SIZE_BYTES)
}

export class Meter {
  /** Null until there are counters: before the first core instance, and where there is no code. */
  #counters: GlobalAccess | null = null
  #shared: WebAssembly.Instance['exports'] | null = null
  #limits: GuestLimits | null = null
  #fuelPerCall = UNLIMITED
  /** What the counter begins with. Units: bytes. */
  #room = UNLIMITED
  /** What host calls may still cost in this call; counted apart, as fuel of the host's side. */
  #hostFuel = Number.POSITIVE_INFINITY
  /** What one lift may bring into this process. Units: bytes. */
  valueSizeMaxBytes = VALUE_SIZE_MAX_BYTES

  /** What metered modules import that have no counters of their own. */
  imports(): WebAssembly.Instance['exports'] {
    if (this.#shared === null) {
      const { access, imports } = sharedCounters()
      this.#shared = imports
      this.attach(access)
    }
    return this.#shared
  }

  /** The counters that all core instances count on from now on. */
  attach(counters: GlobalAccess): void {
    this.#counters = counters
    if (this.#limits !== null) this.#set()
  }

  #set(): void {
    this.#counters?.(FUEL_INDEX, this.#fuelPerCall, 1)
    this.#counters?.(ROOM_INDEX, this.#room, 1)
  }

  /** Limits from now on; null for none. `usedBytes`: what memories and tables take already. */
  limit(limits: GuestLimits | null, usedBytes: number): void {
    this.#limits = limits
    this.valueSizeMaxBytes =
      limits === null ? VALUE_SIZE_MAX_BYTES : Math.min(limits.resultBytesMax, VALUE_SIZE_MAX_BYTES)
    this.#fuelPerCall = limits === null ? UNLIMITED : BigInt(limits.fuelPerTurn)
    const room = limits === null ? 0 : limits.memoryPagesMax * PAGE_SIZE_BYTES - usedBytes
    this.#room = limits === null ? UNLIMITED : BigInt(Math.max(0, room))
    this.#set()
    this.#hostFuel = limits?.fuelPerTurn ?? Number.POSITIVE_INFINITY
  }

  /** Starts a call: the budget is full. */
  begin(): void {
    if (this.#limits === null) return
    this.#counters?.(FUEL_INDEX, this.#fuelPerCall, 1)
    this.#hostFuel = this.#limits.fuelPerTurn
  }

  /** Charges the host's side; false when what costs that much must not be done. */
  charge(cost: number): boolean {
    this.#hostFuel -= cost
    return this.#hostFuel >= 0
  }

  /** Why the guest was stopped while `where` ran, or null when it was not. */
  stopped(where: string): LoomError | null {
    const fuel = this.#counters?.(FUEL_INDEX, 0n, 0) ?? UNLIMITED
    if (fuel >= 0n && this.#hostFuel >= 0) return null
    if (fuel < (STOPPED_BY_MEMORY_LIMIT + STOPPED_BY_HOST_MEMORY) / 2n) return this.#noRoom(where)
    if (fuel < STOPPED_BY_HOST_MEMORY / 2n) return hostMemory(where)
    const reason = fuel < 0n ? 'ran longer than' : 'called the host more than'
    return new LoomError(
      'ERR_FUEL',
      `${where}: the turn ${reason} limits.fuelPerTurn (${this.#fuelPerCall}) allows`,
      { data: { function: where, limit: 'fuelPerTurn', allowed: Number(this.#fuelPerCall) } },
    )
  }

  #noRoom(where: string): LoomError {
    const allowed = this.#limits?.memoryPagesMax ?? 0
    return new LoomError(
      'ERR_TRAP',
      `${where}: the guest wants more memory than limits.memoryPagesMax (${allowed}) allows`,
      { data: { function: where, limit: 'memoryPagesMax', allowed } },
    )
  }
}

function hostMemory(where: string): LoomError {
  return new LoomError('ERR_TRAP', `${where}: the host has no memory left for the guest to grow`, {
    data: { function: where },
  })
}

/** Elements take as much as is charged when tables grow (fuel-write.ts); an image takes four bytes for each. */
const ELEMENT_FACTOR = CHANGING_ELEMENT_SIZE_BYTES / 4

/** What memories and changing tables take. Units: bytes. */
export function memorySize({ memories, elements }: InstanceState): number {
  let size = 0
  for (const { sizeBytes } of elements) size += ELEMENT_FACTOR * sizeBytes
  for (const { buffer } of memories) size += buffer.byteLength
  return size
}
