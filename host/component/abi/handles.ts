/**
 * Handles: one table per component instance of the resources that it may use.
 *
 * Owns: `own` and `borrow` handles, lends, and the indices that a guest knows them by.
 * Does not own: what a representation means (a guest's memory, or the host's own table), destructors and
 * canonical built-ins (builtin.ts), when calls begin and end (call.ts, trampoline.ts).
 *
 * Invariants:
 *   H1. Index 0 is never given out. An index that was freed last is given out first, so that a table's
 *       behaviour follows from what `save` keeps.
 *   H2. A handle that is lent stays until the call that it was lent to has ended.
 *   H3. Between calls there are no borrow handles and no lends: `save` keeps own handles only.
 *   H4. A representation is a number without a sign, and is passed on as it came.
 *
 * What `save` gives, in words of 32 bits, little-endian; `tag` is the resource's index + 1:
 *
 *   | first free | tag of 1 | rep of 1 | tag of 2 | rep of 2 | ...        of a free index: | 0 | next free |
 *
 * Source: CanonicalABI.md, "Table State", "Resource State", "Lifting", "Lowering".
 */

import { LoomError } from '../../base/errors.ts'
import { HANDLE_COUNT_MAX } from '../../base/limits.ts'
import type { StateTable } from '../component.ts'
import type { WitResource } from '../wit/wit.ts'
import { NONE } from './list-of.ts'
import { trap } from './trap.ts'

/** Source: CanonicalABI.md, "Task State", `num_borrows`. */
export interface BorrowScope {
  readonly outer: BorrowScope | null
  borrowCount: number
}

const FREE = 0
const WORD_SIZE_BYTES = 4

export class HandleTable implements StateTable {
  /** The component instance whose table this is. */
  readonly #owner: number
  readonly #names: readonly string[]
  /** By index: FREE, or the resource's index + 1. */
  #tags: number[] = [FREE]
  /** By index: the representation; of a free index the next free one. */
  #reps: number[] = [0]
  #lends: number[] = [0]
  /** By index: null for own handles. */
  #scopes: (BorrowScope | null)[] = [null]
  #firstFree = 0
  #scope: BorrowScope | null = null
  /** Handles that are lent now, in the order in which they were. */
  #lent: number[] = []

  /** `names` of the component's resource types, by index. */
  constructor(owner: number, names: readonly string[]) {
    this.#owner = owner
    this.#names = names
  }

  /** `lower_own`, and `canon_resource_new`. */
  addOwn(resource: WitResource, rep: number): number {
    return this.#add(resource, rep >>> 0, null)
  }

  /** `lower_borrow`: the instance that defines a resource gets the representation itself. */
  addBorrow(resource: WitResource, rep: number): number {
    if (resource.owner === this.#owner) return rep
    const scope = this.#scope
    if (scope === null) return trap('a handle was borrowed outside of a call')
    scope.borrowCount++
    return this.#add(resource, rep >>> 0, scope)
  }

  /** `lift_own`. */
  takeOwn(resource: WitResource, index: number): number {
    this.#check(resource, index)
    if (this.#scopes[index] !== null)
      trap(`${this.#describe(index)} is borrowed and cannot be given away`)
    return this.#remove(index)
  }

  /** `lift_borrow`. */
  lend(resource: WitResource, index: number): number {
    this.#check(resource, index)
    this.#lends[index] = (this.#lends[index] ?? 0) + 1
    this.#lent.push(index)
    return this.#reps[index] ?? 0
  }

  /** `canon_resource_rep`. */
  rep(resource: WitResource, index: number): number {
    this.#check(resource, index)
    return this.#reps[index] ?? 0
  }

  /** `canon_resource_drop`: the representation to destroy, or null when the handle was borrowed. */
  drop(resource: WitResource, index: number): number | null {
    this.#check(resource, index)
    const scope = this.#scopes[index] ?? null
    const rep = this.#remove(index)
    if (scope === null) return rep
    scope.borrowCount--
    return null
  }

  /** Begins a call of this instance that gets borrow handles. */
  enter(): void {
    this.#scope = { outer: this.#scope, borrowCount: 0 }
  }

  /** Ends it: "Task State", `return_`. */
  leave(): void {
    const scope = this.#scope
    if (scope === null) return
    if (scope.borrowCount > 0)
      trap(`the call returned with ${scope.borrowCount} borrowed handles that it did not drop`)
    this.#scope = scope.outer
  }

  /** How many handles are lent, before a call by this instance lends more. */
  get lentCount(): number {
    return this.#lent.length
  }

  /** Ends all lends but the first `count`: "Subtask State", `deliver_resolve`. */
  release(count: number): void {
    while (this.#lent.length > count) {
      const index = this.#lent.pop() ?? 0
      this.#lends[index] = (this.#lends[index] ?? 1) - 1
    }
  }

  save(): Uint8Array {
    const bytes = Buffer.alloc(WORD_SIZE_BYTES * (2 * this.#tags.length - 1))
    bytes.writeUInt32LE(this.#firstFree)
    for (let index = 1; index < this.#tags.length; index++) {
      if (this.#scopes[index] !== null || this.#lends[index] !== 0)
        throw new LoomError('ERR_INVARIANT', `${this.#describe(index)} is in use between calls`)
      const at = WORD_SIZE_BYTES * (2 * index - 1)
      bytes.writeUInt32LE(this.#tags[index] ?? FREE, at)
      bytes.writeUInt32LE(this.#reps[index] ?? 0, at + WORD_SIZE_BYTES)
    }
    return bytes
  }

  load(saved: Uint8Array): void {
    const bytes = Buffer.from(saved.buffer, saved.byteOffset, saved.byteLength)
    const pair = 2 * WORD_SIZE_BYTES
    const count = (bytes.length - WORD_SIZE_BYTES) / pair
    if (!Number.isInteger(count) || count < 0 || count > HANDLE_COUNT_MAX)
      throw corrupt(`${bytes.length} bytes`)
    const tags = [FREE]
    const reps = [0]
    for (let index = 1; index <= count; index++) {
      const at = pair * index - WORD_SIZE_BYTES
      tags.push(bytes.readUInt32LE(at))
      reps.push(bytes.readUInt32LE(at + WORD_SIZE_BYTES))
    }
    const firstFree = bytes.readUInt32LE()
    this.#checkLoaded(tags, reps, firstFree)
    this.#tags = tags
    this.#reps = reps
    this.#lends = tags.map(() => 0)
    this.#scopes = tags.map(() => null)
    this.#firstFree = firstFree
    this.#scope = null
    this.#lent = []
  }

  #checkLoaded(tags: readonly number[], reps: readonly number[], firstFree: number): void {
    let freeCount = 0
    for (let at = firstFree; at !== 0; at = reps[at] ?? 0)
      if (tags[at] !== FREE || ++freeCount >= tags.length) throw corrupt('its list of free indices')
    if (tags.filter((tag) => tag === FREE).length !== freeCount + 1)
      throw corrupt('a free index that is not in its list')
    const unknown = tags.find((tag) => tag > this.#names.length)
    if (unknown !== undefined) throw corrupt(`resource type ${unknown - 1}`)
  }

  #add(resource: WitResource, rep: number, scope: BorrowScope | null): number {
    let index = this.#firstFree
    if (index === 0) {
      index = this.#tags.length
      if (index > HANDLE_COUNT_MAX)
        trap(`the table of handles is full: ${HANDLE_COUNT_MAX} are in use`)
    } else this.#firstFree = this.#reps[index] ?? 0
    this.#tags[index] = resource.index + 1
    this.#reps[index] = rep
    this.#lends[index] = 0
    this.#scopes[index] = scope
    return index
  }

  /** Frees an index that nothing is lent from (H2). */
  #remove(index: number): number {
    if ((this.#lends[index] ?? 0) > 0)
      trap(`${this.#describe(index)} is lent to a call that has not ended`)
    const rep = this.#reps[index] ?? 0
    this.#tags[index] = FREE
    this.#reps[index] = this.#firstFree
    this.#scopes[index] = null
    this.#firstFree = index
    return rep
  }

  #check(resource: WitResource, index: number): void {
    const tag = this.#tags[index] ?? FREE
    if (tag === resource.index + 1) return
    if (tag === FREE)
      trap(`handle ${index} of a ${resource.name} is none: it was dropped or never given`)
    trap(`${this.#describe(index)} is used as a ${resource.name}`)
  }

  #describe(index: number): string {
    const name = this.#names[(this.#tags[index] ?? FREE) - 1] ?? 'resource'
    return `handle ${index} of a ${name}`
  }
}

function corrupt(what: string): LoomError {
  return new LoomError('ERR_SNAPSHOT_CORRUPT', `table of handles: ${what} cannot be`)
}

/** The tables of all component instances of one component; none where there are no resources. */
export function handleTables(
  count: number,
  resources: readonly { readonly resource: { readonly name: string } }[],
): HandleTable[] {
  if (resources.length === 0) return NONE
  const names = resources.map(({ resource }) => resource.name)
  return Array.from({ length: count }, (_, owner) => new HandleTable(owner, names))
}
