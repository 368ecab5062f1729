/**
 * Due queue: things by name, each with a time, of which the soonest is found first.
 *
 * Invariant DQ1: setting, taking and finding the soonest cost the logarithm of what waits, not its number.
 */
interface Slot<T> {
  readonly name: string
  readonly atMs: number
  readonly value: T
}

export class DueQueue<T> {
  readonly #byName = new Map<string, Slot<T>>()
  /** A binary heap by time. Slots that were replaced stay until they come up. */
  readonly #heap: Slot<T>[] = []

  get(name: string): { readonly atMs: number; readonly value: T } | undefined {
    return this.#byName.get(name)
  }

  /** Over what has that name already. */
  set(name: string, atMs: number, value: T): void {
    const slot = { name, atMs, value }
    this.#byName.set(name, slot)
    this.#heap.push(slot)
    this.#rise(this.#heap.length - 1)
  }

  /** When the soonest is due; Infinity when nothing waits. */
  soonestMs(): number {
    return this.#top()?.atMs ?? Infinity
  }

  /** Takes the soonest out, if it is due at `nowMs`. */
  take(nowMs: number): { readonly name: string; readonly value: T } | null {
    const top = this.#top()
    if (top === undefined || top.atMs > nowMs) return null
    this.#pop()
    this.#byName.delete(top.name)
    return top
  }

  /** The first slot, without those that were replaced. */
  #top(): Slot<T> | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined || this.#byName.get(top.name) === top) return top
      this.#pop()
    }
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1
      if (!this.#swapIfSooner(at, above)) return
      at = above
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const below = this.#timeAt(right) < this.#timeAt(left) ? right : left
      if (!this.#swapIfSooner(below, at)) return
      at = below
    }
  }

  #timeAt(at: number): number {
    return this.#heap[at]?.atMs ?? Infinity
  }

  #swapIfSooner(below: number, above: number): boolean {
    const [low, high] = [this.#heap[below], this.#heap[above]]
    if (low === undefined || high === undefined || low.atMs >= high.atMs) return false
    this.#heap[above] = low
    this.#heap[below] = high
    return true
  }
}
