/**
 * Image: what an instance must become, as a delta against its component's baseline.
 *
 * Owns: capture, restore and the hash of an instance's state.
 * Does not own: the bytes of an image at rest (image-codec.ts), when to capture (pool, actor).
 *
 * Invariants:
 *   IM1. Between calls, memories, mutable globals, tables of handles and tables that code changes are the whole state (component/core/instrument.ts IN1, IN2).
 *   IM2. `restore` of what `capture` took makes the state equal: every byte, every page count, every global.
 *        One thing is not kept: the payload bits of a NaN in a float global, which JavaScript cannot see.
 *   IM3. A memory never shrinks, nor does a table. An instance with more pages or elements than the image cannot
 *        take it.
 *   IM4. An image holds copies; the instance may run on.
 *   IM5. What `scrub` calls clean is the baseline: it compared every byte of every memory, every page count,
 *        every global, and loaded every table of handles, and of functions, anew.
 *
 * Layout of a memory's delta (`spans` are pairs, `bytes` the concatenated contents of all runs):
 *
 *   spans  | offset 0 | size 0 | offset 1 | size 1 | ...
 *   bytes  | size 0 bytes       | size 1 bytes      | ...
 */
import { createHash } from 'node:crypto'
import { invariant, LoomError } from '../base/errors.ts'
import type { GlobalValue, InstanceState } from '../component/component.ts'

/** Units: bytes. */
export const PAGE_SIZE_BYTES = 65_536

/**
 * Runs with a smaller gap between them are one. A run costs 8 bytes and a copy of its own: in heaps of
 * AssemblyScript, 64 gave two thirds fewer runs than 16 for a tenth more bytes. (Whole 256 B blocks, in
 * comparison, held five times the bytes: 1,136 instead of 228 for a counter.)
 */
export const GAP_SIZE_BYTES = 64

/** The state right after instantiation, equal for all instances of one component digest. */
export interface Baseline {
  readonly memories: readonly Buffer[]
  readonly globals: readonly GlobalValue[]
  /** The tables of handles, whole. */
  readonly tables: readonly Uint8Array[]
  /** Tables of functions that code changes, whole. */
  readonly elements: readonly Uint8Array[]
}

export interface MemoryImage {
  readonly pageCount: number
  /** Pairs of offset and size, in ascending order, not adjacent. */
  readonly spans: Uint32Array
  readonly bytes: Uint8Array
}

export interface Image {
  readonly memories: readonly MemoryImage[]
  readonly globals: readonly GlobalValue[]
  /** The tables of handles, whole. */
  readonly tables: readonly Uint8Array[]
  /** Tables of functions that code changes, whole (component/instance/elements.ts). */
  readonly elements: readonly Uint8Array[]
}

/** Takes the baseline of a component from an instance that no call has touched. */
export function takeBaseline(state: InstanceState): Baseline {
  return {
    memories: state.memories.map(({ buffer }) => Buffer.from(buffer.slice(0))),
    globals: state.globals.read(),
    tables: state.tables.map((table) => table.save()),
    elements: state.elements.map((table) => table.save()),
  }
}

/** How many bytes an image keeps of memories. */
export function imageSize(image: Image): number {
  let size = 8 * image.globals.length
  for (const { spans, bytes } of image.memories) size += spans.byteLength + bytes.byteLength
  for (const table of image.tables) size += table.byteLength
  for (const table of image.elements) size += table.byteLength
  return size
}

/** What `state` is, as a delta. Units: `gap` in bytes, a multiple of 4; see GAP_SIZE_BYTES. */
export function capture(state: InstanceState, baseline: Baseline, gap = GAP_SIZE_BYTES): Image {
  checkShape(state, baseline.memories.length, baseline.globals.length)
  return {
    memories: state.memories.map((memory, index) =>
      captureMemory(Buffer.from(memory.buffer), baseline.memories[index] ?? NOTHING, gap),
    ),
    globals: state.globals.read(),
    tables: state.tables.map((table) => table.save()),
    elements: state.elements.map((table) => table.save()),
  }
}

const NOTHING = Buffer.alloc(0)
const ZERO_PAGE = Buffer.alloc(PAGE_SIZE_BYTES)

/** Equal stretches are passed over in large steps; what differs is looked at word by word. */
const COARSE_SIZE_BYTES = 16_384
const FINE_SIZE_BYTES = 4_096
const WORD_SIZE_BYTES = 4

function captureMemory(memory: Buffer, base: Buffer, gap: number): MemoryImage {
  const finder = new RunFinder(memory, gap)
  // A memory's size is a multiple of the page size, so a block lies on one side of the baseline's end.
  for (let at = 0; at < memory.length; at += COARSE_SIZE_BYTES)
    if (at < base.length) finder.compare(base, at, at, COARSE_SIZE_BYTES)
    else finder.compare(ZERO_PAGE, at, at % PAGE_SIZE_BYTES, COARSE_SIZE_BYTES)
  const spans = finder.finish()
  let size = 0
  for (let index = 1; index < spans.length; index += 2) size += spans[index] ?? 0
  // Slow means outside of the shared pool, which a long-lived image would keep alive.
  const bytes = Buffer.allocUnsafeSlow(size)
  let to = 0
  for (let index = 0; index < spans.length; index += 2) {
    const offset = spans[index] ?? 0
    const length = spans[index + 1] ?? 0
    memory.copy(bytes, to, offset, offset + length)
    to += length
  }
  return { pageCount: memory.length / PAGE_SIZE_BYTES, spans, bytes }
}

/** Collects the runs in which a memory differs, in ascending order. Positions here count words. */
class RunFinder {
  readonly #memory: Buffer
  readonly #words: Int32Array
  readonly #gap: number
  readonly #spans: number[] = []
  #start = -1
  #end = 0

  constructor(memory: Buffer, gap: number) {
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer)
    this.#gap = gap / WORD_SIZE_BYTES
  }

  /** Compares [at, at + size) of the memory with `base` from `baseAt` on. */
  compare(base: Buffer, at: number, baseAt: number, size: number): void {
    if (this.#memory.compare(base, baseAt, baseAt + size, at, at + size) === 0) return
    if (size > FINE_SIZE_BYTES) {
      for (let part = 0; part < size; part += FINE_SIZE_BYTES)
        this.compare(base, at + part, baseAt + part, FINE_SIZE_BYTES)
      return
    }
    const other = new Int32Array(base.buffer, base.byteOffset + baseAt, size / WORD_SIZE_BYTES)
    this.#scan(other, at / WORD_SIZE_BYTES)
  }

  #scan(other: Int32Array, from: number): void {
    const words = this.#words
    for (let index = 0; index < other.length; index++) {
      if (words[from + index] === other[index]) continue
      const at = from + index
      if (this.#start < 0) this.#start = at
      else if (at - this.#end >= this.#gap) {
        this.#push()
        this.#start = at
      }
      this.#end = at + 1
    }
  }

  #push(): void {
    const { length } = this.#spans
    this.#spans[length] = this.#start * WORD_SIZE_BYTES
    this.#spans[length + 1] = (this.#end - this.#start) * WORD_SIZE_BYTES
  }

  finish(): Uint32Array {
    if (this.#start >= 0) this.#push()
    return Uint32Array.from(this.#spans)
  }
}

/**
 * Makes `state` what `image` says. The instance may be fresh or recycled, as long as no memory has more
 * pages than the image (IM3). `isFresh` promises that the state is the baseline, and saves a copy of it.
 * @throws ERR_SNAPSHOT_CORRUPT when the image does not fit the component.
 */
export function restore(
  state: InstanceState,
  baseline: Baseline,
  image: Image,
  isFresh = false,
): void {
  checkShape(state, image.memories.length, image.globals.length)
  if (state.tables.length !== image.tables.length)
    throw corrupt(
      `it has ${image.tables.length} tables of handles, the component ${state.tables.length}`,
    )
  if (state.elements.length !== image.elements.length)
    throw corrupt(`it has ${image.elements.length} tables, the component ${state.elements.length}`)
  image.memories.forEach((delta, index) => {
    const memory = state.memories[index]
    if (memory === undefined) return
    growTo(memory, delta.pageCount)
    const bytes = Buffer.from(memory.buffer)
    if (!isFresh) resetMemory(bytes, baseline.memories[index] ?? NOTHING)
    applyRuns(bytes, delta)
  })
  state.globals.write(image.globals)
  image.tables.forEach((table, index) => {
    state.tables[index]?.load(table)
  })
  image.elements.forEach((table, index) => {
    state.elements[index]?.load(table)
  })
}

/** True when a recycled instance can become what the image says (IM3). */
export function canRestore(state: InstanceState, image: Image): boolean {
  return (
    image.memories.every(
      ({ pageCount }, index) =>
        (state.memories[index]?.buffer.byteLength ?? 0) <= pageCount * PAGE_SIZE_BYTES,
    ) &&
    image.elements.every(
      (table, index) => (state.elements[index]?.sizeBytes ?? 0) <= table.byteLength,
    )
  )
}

function growTo(memory: WebAssembly.Memory, pageCount: number): void {
  const missing = pageCount - memory.buffer.byteLength / PAGE_SIZE_BYTES
  invariant(missing >= 0, `image of ${pageCount} pages for a memory that has ${-missing} more`)
  if (missing === 0) return
  try {
    memory.grow(missing)
  } catch (error) {
    throw corrupt(`memory cannot grow to ${pageCount} pages`, error)
  }
}

/** Copies only what differs: a page that nobody wrote to takes no memory of the machine, and shall not. */
function resetMemory(bytes: Buffer, base: Buffer): void {
  for (let at = 0; at < bytes.length; at += FINE_SIZE_BYTES) {
    const source = at < base.length ? base : ZERO_PAGE
    const from = at < base.length ? at : 0
    const end = from + FINE_SIZE_BYTES
    if (bytes.compare(source, from, end, at, at + FINE_SIZE_BYTES) !== 0)
      source.copy(bytes, at, from, end)
  }
}

/**
 * Makes a used instance its baseline again (IM5); false when that cannot be: a memory or a table has grown, or a
 * global is a NaN, whose payload JavaScript cannot restore.
 */
export function scrub(state: InstanceState, baseline: Baseline): boolean {
  checkShape(state, baseline.memories.length, baseline.globals.length)
  const isSmall =
    state.memories.every(
      ({ buffer }, index) => buffer.byteLength === baseline.memories[index]?.length,
    ) &&
    state.elements.every(
      ({ sizeBytes }, index) => sizeBytes === baseline.elements[index]?.byteLength,
    )
  if (!isSmall || baseline.globals.some(Number.isNaN)) return false
  state.memories.forEach(({ buffer }, index) => {
    resetMemory(Buffer.from(buffer), baseline.memories[index] ?? NOTHING)
  })
  state.globals.write(baseline.globals)
  state.tables.forEach((table, index) => {
    table.load(baseline.tables[index] ?? NOTHING)
  })
  state.elements.forEach((table, index) => {
    table.load(baseline.elements[index] ?? NOTHING)
  })
  return true
}

function applyRuns(memory: Buffer, { spans, bytes }: MemoryImage): void {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let from = 0
  for (let index = 0; index < spans.length; index += 2) {
    const offset = spans[index] ?? 0
    const size = spans[index + 1] ?? 0
    if (offset + size > memory.length) throw corrupt(`run at ${offset} ends beyond the memory`)
    source.copy(memory, offset, from, from + size)
    from += size
  }
}

function checkShape(state: InstanceState, memoryCount: number, globalCount: number): void {
  if (state.memories.length !== memoryCount || state.globals.length !== globalCount)
    throw corrupt(
      `it has ${memoryCount} memories and ${globalCount} globals, the component ${state.memories.length} and ${state.globals.length}`,
    )
}

export function corrupt(reason: string, cause?: unknown): LoomError {
  return new LoomError('ERR_SNAPSHOT_CORRUPT', `image: ${reason}`, { cause })
}

/**
 * SHA-256 of the whole state, as hex. Equal states have equal hashes, however they were reached.
 *
 * Hashed bytes: per memory its page count (u32) and its bytes; per global nine bytes (image-codec.ts); per
 * table of handles, then of functions, its size (u32) and its bytes.
 */
export function hashState(state: InstanceState): string {
  const hash = createHash('sha256')
  for (const { buffer } of state.memories) {
    const count = Buffer.alloc(4)
    count.writeUInt32LE(buffer.byteLength / PAGE_SIZE_BYTES)
    hash.update(count).update(new Uint8Array(buffer))
  }
  hash.update(globalsToBytes(state.globals.read()))
  for (const table of [...state.tables, ...state.elements]) {
    const bytes = table.save()
    const size = Buffer.alloc(4)
    size.writeUInt32LE(bytes.byteLength)
    hash.update(size).update(bytes)
  }
  return hash.digest('hex')
}

const GLOBAL_SIZE_BYTES = 9

/** Per global a tag (0 number, 1 bigint), then a 64-bit float or integer, little-endian. */
export function globalsToBytes(globals: readonly GlobalValue[]): Buffer {
  const bytes = Buffer.alloc(GLOBAL_SIZE_BYTES * globals.length)
  globals.forEach((value, index) => {
    const at = GLOBAL_SIZE_BYTES * index
    if (typeof value === 'bigint') {
      bytes[at] = 1
      bytes.writeBigInt64LE(value, at + 1)
    } else bytes.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value, at + 1)
  })
  return bytes
}

export function globalsFromBytes(bytes: Uint8Array): GlobalValue[] {
  if (bytes.length % GLOBAL_SIZE_BYTES !== 0) throw corrupt('the globals are cut off')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const globals: GlobalValue[] = []
  for (let at = 0; at < bytes.length; at += GLOBAL_SIZE_BYTES)
    globals.push(bytes[at] === 1 ? view.getBigInt64(at + 1, true) : view.getFloat64(at + 1, true))
  return globals
}
