/**
 * Fuel scan: finds where a function has to be rewritten, and what each charge costs.
 *
 * Owns: the rules of fuel.ts FU1 to FU4. Does not own: the code that is written there (fuel-write.ts).
 */
import { EngineWork } from './engine-work.ts'
import { BULK, type InstructionReader } from './instructions.ts'
import type { CoreModule, Signature } from './module.ts'

/** Chosen by measurement: docs/adr/0020-fuel.md. */
const ABSORBED_COUNT_MAX = 32

/** A function's entry and a loop's head: a charge takes about as long as what it pays for at the least. */
const HEAD_COST = 5

/** Locals beyond so many are charged where a function begins, and what one costs, as a shift: the engine clears each. */
const FREE_LOCAL_COUNT = 64
const LOCAL_SHIFT = 2
/** What a value costs that is moved, as a shift: nothing where there is one. */
const MOVE_SHIFT = 1
/** What a frame costs that an exception may have to leave: finding that it catches nothing takes the engine long. */
const UNWINDING_COST = 40

/** Instructions that take much longer than others. Units: fuel. */
const COSTS = new Map([
  [0x08, 500], // throw, rethrow, throw_ref: the engine makes and unwinds an exception
  [0x09, 500],
  [0x0a, 500],
  [0x26, 100], // table.set
  [0x40, 500], // memory.grow
  [BULK + 8, 20], // memory.init, copy, fill
  [BULK + 10, 20],
  [BULK + 11, 20],
  [BULK + 12, 100], // table.init, copy, grow, fill
  [BULK + 14, 100],
  [BULK + 15, 100],
  [BULK + 17, 100],
])

export const MEMORY_GROW = 0x40
const TABLE_GROW = BULK + 15
/** Fuel per unit of the operand, as a shift (FU3): a byte of memory 1/8, an element of a table 16. */
const OPERAND_SHIFTS = new Map([
  [BULK + 8, -3],
  [BULK + 10, -3],
  [BULK + 11, -3],
  [BULK + 12, 4],
  [BULK + 14, 4],
  [BULK + 15, 4],
  [BULK + 17, 4],
])

/** State that an image does not hold, by the instruction that changes it. */
const HIDDEN = new Map([
  [BULK + 9, 'drops a data segment (data.drop)'],
  [BULK + 13, 'drops an element segment (elem.drop)'],
])

/** `table.set`, `init`, `copy`, `grow`, `fill`. */
const TABLE_CHANGES = new Set([0x26, BULK + 12, BULK + 14, BULK + 15, BULK + 17])

/** What the code of a module does to its state beside memories and globals. */
export interface StateChanges {
  /** In words; an image does not hold it. */
  readonly hidden: Set<string>
  changesTables: boolean
}

/** `call`, `call_indirect`, `call_ref`. Frames that return what they call are gone by then. */
const CALLS = new Set([0x10, 0x11, 0x14])

export type PointKind = 'charge' | 'global' | 'float' | 'operand' | 'memory.grow' | 'table.grow'

/** A place in a function's body that is rewritten: charges are inserted, others replace [at, end). */
export interface Point {
  readonly kind: PointKind
  readonly at: number
  readonly end: number
  /** A charge's cost, 0 for none; an index; an operand's shift. */
  value: number
}

/** Who pays: the charge that stands before some code, and how much it pays in advance (FU2). */
interface Payer {
  readonly point: Point
  absorbed: number
}

/** Finds the points of one function. */
export class FunctionScan {
  readonly points: Point[] = []
  readonly localsAt: number
  localsEnd = 0
  localGroupCount = 0
  /** Parameters and locals. */
  localCount: number
  readonly end: number
  readonly #reader: InstructionReader
  readonly #firstShifted: number
  readonly #floats: CoreModule['floats']
  readonly #changes: StateChanges
  readonly #work: EngineWork
  readonly #throws: boolean
  #calls = false
  /** Payers in force where each open block began; they stand before whatever follows its end. */
  readonly #outer: Payer[] = []
  #payer: Payer
  /** A stretch that may be absorbed: its cost is not yet decided on. */
  #stretch: Point | null = null

  constructor(
    reader: InstructionReader,
    module: CoreModule,
    signature: Signature,
    changes: StateChanges,
    throws: boolean,
  ) {
    this.#reader = reader
    this.localCount = signature.params.length
    this.#throws = throws
    this.#firstShifted = module.globalImportCount
    this.#floats = module.floats
    this.#changes = changes
    this.localsAt = reader.at
    this.end = reader.end
    this.#locals()
    this.#work = new EngineWork(module, signature, this.localCount)
    const paidLocals = Math.max(0, this.localCount - signature.params.length - FREE_LOCAL_COUNT)
    const cost = HEAD_COST + (paidLocals >> LOCAL_SHIFT)
    this.#payer = {
      point: this.#point('charge', this.localsEnd, this.localsEnd, cost),
      absorbed: 0,
    }
  }

  /** What the function is to a compiler (engine-work.ts). */
  get work(): number {
    return this.#work.total
  }

  #locals(): void {
    const reader = this.#reader
    this.localGroupCount = reader.count()
    for (let group = 0; group < this.localGroupCount; group++) {
      this.localCount += reader.u32()
      reader.type()
    }
    this.localsEnd = reader.at
  }

  #point(kind: PointKind, at: number, end: number, value: number): Point {
    const point: Point = { kind, at, end, value }
    this.points.push(point)
    return point
  }

  run(): void {
    const reader = this.#reader
    const head = this.#payer.point
    while (reader.at < this.end) {
      reader.next()
      const { code } = reader
      const paying = this.#stretch ?? this.#payer.point
      paying.value += COSTS.get(code) ?? 1
      if (EngineWork.isControl(code)) {
        paying.value += this.#work.next(reader) >> MOVE_SHIFT
        if (CALLS.has(code)) this.#calls = true
      } else this.#work.plain(code)
      this.#rewrite(code)
      this.#control(code)
    }
    this.#settle()
    if (this.#calls && this.#throws) head.value += UNWINDING_COST
  }

  #rewrite(code: number): void {
    const { start, at, index, indexAt } = this.#reader
    if (code < 0x20) return
    if (code < 0x23) {
      // Our own locals follow: an index that was invalid must not become one of them.
      if (index >= this.localCount) this.#reader.fail(`local ${index} does not exist`)
      return
    }
    const note = HIDDEN.get(code)
    if (note !== undefined) this.#changes.hidden.add(note)
    if (TABLE_CHANGES.has(code)) this.#changes.changesTables = true
    if (code === 0x23 || code === 0x24) {
      if (index >= this.#firstShifted) this.#point('global', indexAt, at, index)
      if (code === 0x24 && this.#floats.has(index)) this.#point('float', at, at, index)
    } else if (code === MEMORY_GROW) this.#point('memory.grow', start, at, index)
    else {
      const shift = OPERAND_SHIFTS.get(code)
      if (shift !== undefined) this.#point('operand', start, start, shift)
      if (code === TABLE_GROW) this.#point('table.grow', start, start, 0)
    }
  }

  #control(code: number): void {
    switch (code) {
      case 0x02: // block, try, try_table: what is inside runs with what is before
      case 0x06:
      case 0x1f: {
        const absorbed = this.#settle()
        this.#outer.push(this.#payer)
        if (absorbed) this.#begin()
        return
      }
      case 0x03: {
        this.#settle()
        this.#outer.push(this.#payer)
        const { at } = this.#reader
        this.#payer = { point: this.#point('charge', at, at, HEAD_COST), absorbed: 0 }
        return
      }
      case 0x04: // if
        this.#settle()
        this.#outer.push(this.#payer)
        this.#begin()
        return
      case 0x05: // else, catch, catch_all
      case 0x07:
      case 0x19:
        this.#settle()
        this.#payer = this.#outer.at(-1) ?? this.#payer
        this.#begin()
        return
      case 0x0b: // end, delegate
      case 0x18:
        this.#settle()
        this.#payer = this.#outer.pop() ?? this.#payer
        this.#begin()
        return
      default:
        if (BRANCHES.has(code)) {
          this.#settle()
          this.#begin()
        }
    }
  }

  #begin(): void {
    const { at } = this.#reader
    this.#stretch = this.#point('charge', at, at, 0)
  }

  /** Decides who pays for the stretch that ends here; true when the payer before it does. */
  #settle(): boolean {
    const stretch = this.#stretch
    if (stretch === null) return false
    this.#stretch = null
    const cost = stretch.value
    if (this.#payer.absorbed + cost > ABSORBED_COUNT_MAX) {
      this.#payer = { point: stretch, absorbed: 0 }
      return false
    }
    this.#payer.absorbed += cost
    this.#payer.point.value += cost
    stretch.value = 0
    if (this.points.at(-1) === stretch) this.points.pop()
    return true
  }
}

/** Behind these, code may not run: unreachable, throws, branches, returns, tail calls. */
const BRANCHES = new Set([
  0x00, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x0e, 0x0f, 0x12, 0x13, 0x15, 0xd5, 0xd6,
])
