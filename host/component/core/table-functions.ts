/**
 * Table functions: a core module's own tables, and which functions can get into a table.
 *
 * Owns: reading the sections that say so. Does not own: exporting them (instrument.ts), their contents at run
 * time (elements.ts).
 *
 * A reference to a function is made by `ref.func` or by an element segment, and `ref.func` may only name functions
 * that stand in an element segment, in the initial value of a global or a table, or among the exports. So these
 * are all; a reference from elsewhere was made in another module, where the same holds.
 *
 * Source: WebAssembly Core Specification 3.0, "Validation", "Modules" (the references of a context).
 */
import { Reader } from '../bytes.ts'
import { type CoreModule, readCoreType, skipConstant } from './module.ts'

export interface ModuleTables {
  /** Indices of the module's own tables. */
  readonly tables: readonly number[]
  /** Indices of functions, ascending. */
  readonly functions: readonly number[]
  /** Tables whose contents an image cannot hold, in words. */
  readonly hidden: readonly string[]
}

export const NO_TABLES: ModuleTables = { tables: [], functions: [], hidden: [] }

const TABLES = 4
const GLOBALS = 6
const ELEMENTS = 9
const FUNCREF = 0x70
const EXTERNREF = 0x6f
const NULLABLE = 0x63
const NON_NULLABLE = 0x64

export function readTables(binary: Uint8Array, module: CoreModule): ModuleTables {
  const functions = new Set<number>()
  const hidden = new Set<string>()
  const tables: number[] = []
  const onFunction = (index: number): void => {
    functions.add(index)
  }
  for (const { name: _, kind, index } of module.exports) if (kind === 'func') functions.add(index)
  for (const { id, payload, end } of module.sections) {
    const reader = new Reader(binary, payload, end)
    if (id === TABLES) {
      let index = module.tableImportCount
      reader.vector('table', () => {
        if (!readTable(reader, onFunction)) hidden.add(`changes a table of other references`)
        else tables.push(index)
        index++
      })
    } else if (id === GLOBALS)
      reader.vector('global', () => {
        readCoreType(reader)
        reader.byte('mutability')
        skipConstant(reader, undefined, onFunction)
      })
    else if (id === ELEMENTS)
      reader.vector('element segment', () => skipElements(reader, undefined, onFunction))
  }
  return { tables, functions: [...functions].sort((a, b) => a - b), hidden: [...hidden] }
}

/** False for tables of other references than functions and what comes from outside, such as exceptions. */
function readTable(reader: Reader, onFunction: (index: number) => void): boolean {
  const hasInitializer = reader.peek() === 0x40
  if (hasInitializer) reader.skip(2, 'table')
  const isKnown = readReference(reader)
  const hasMaximum = (reader.byte('limits') & 0x01) !== 0
  reader.u32('minimum')
  if (hasMaximum) reader.u32('maximum')
  if (hasInitializer) skipConstant(reader, undefined, onFunction)
  return isKnown
}

function readReference(reader: Reader): boolean {
  const code = reader.byte('reference type')
  if (code !== NULLABLE && code !== NON_NULLABLE) return code === FUNCREF || code === EXTERNREF
  const heap = reader.peek()
  reader.skipLeb('heap type')
  // One byte with bit 6 is an abstract heap type; everything else is the index of a type.
  const isIndex = heap >= 0x80 || (heap & 0x40) === 0
  return isIndex || heap === FUNCREF || heap === EXTERNREF
}

/**
 * Passes over one segment; gives the number of its elements. Bits of the flags: 1 passive or declared, 2 a table's index
 * or declared, 4 expressions.
 */
export function skipElements(
  reader: Reader,
  onGlobal?: (from: number, index: number) => void,
  onFunction: (index: number) => void = () => {},
): number {
  const flags = reader.u32('element segment')
  const isActive = (flags & 1) === 0
  if (isActive && (flags & 2) !== 0) reader.u32('table index')
  if (isActive) skipConstant(reader, onGlobal)
  const hasExpressions = (flags & 4) !== 0
  if ((flags & 3) !== 0) {
    if (hasExpressions) readCoreType(reader)
    else reader.byte('element kind')
  }
  const count = reader.count('element')
  for (let left = count; left > 0; left--)
    if (hasExpressions) skipConstant(reader, onGlobal, onFunction)
    else onFunction(reader.u32('element'))
  return count
}
