/**
 * Instance stock: instances that no actor has, ready for the next one of the same program.
 *
 * Owns: how many are kept, and of which programs. Does not own: making them (wasm-program.ts), making them
 * clean (image/), which actors lose theirs (pool/).
 *
 * Invariants:
 *   ST1. What is put here is in its baseline: the next actor cannot tell it from a fresh instance.
 *   ST2. An instance is either here or an actor's: `take` gives each away once.
 *   ST3. At most `countMax` are kept. One more displaces one of the program that has most of them.
 */
import type { ComponentInstance } from '../../component/component.ts'
import type { HostSeat } from '../../hostcalls/bound-function.ts'

/** An instance with the seat that its imports are bound to. */
export interface SeatedInstance {
  readonly instance: ComponentInstance
  readonly seat: HostSeat
}

export class InstanceStock {
  readonly #countMax: number
  /** By program: one digest under one set of limits. */
  readonly #lists = new Map<object, SeatedInstance[]>()
  #count = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get count(): number {
    return this.#count
  }

  take(program: object): SeatedInstance | undefined {
    const spare = this.#lists.get(program)?.pop()
    if (spare !== undefined) this.#count--
    return spare
  }

  put(program: object, spare: SeatedInstance): void {
    let list = this.#lists.get(program)
    if (list === undefined) {
      list = []
      this.#lists.set(program, list)
    }
    list.push(spare)
    this.#count++
    if (this.#count > this.#countMax) this.#dropOne()
  }

  /** Gives up half of each list: called from time to time, so that a quiet host returns its memory. */
  trim(): void {
    for (const [program, list] of this.#lists) {
      const dropped = Math.ceil(list.length / 2)
      list.length -= dropped
      this.#count -= dropped
      if (list.length === 0) this.#lists.delete(program)
    }
  }

  #dropOne(): void {
    let longest: SeatedInstance[] = []
    for (const list of this.#lists.values()) if (list.length > longest.length) longest = list
    longest.pop()
    this.#count--
  }
}
