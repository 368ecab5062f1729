/**
 * Instance work: what is done for each instance of a component before its code runs, and so without fuel.
 *
 * An actor that is called may need an instance, and a turn that fails another one. A table of ten million elements, in five
 * bytes, took 0.8 s each time; a thousand core instances of one small module with a thousand exports each several, and
 * memory of the process besides that no limit of the guest counts.
 *
 * Owns: what the parts of a core module cost to make, and how much all of them may. Does not own: what compiling costs
 * (engine-work.ts), what memories and tables take (instance/plan.ts).
 *
 * Invariant IW1. Only the bytes decide: a component that is accepted is so on every host.
 */
import { Reader } from '../bytes.ts'
import { featureError } from '../refuse.ts'
import { type CoreModule, skipConstant } from './module.ts'
import { skipElements } from './table-functions.ts'

/** What each takes on Node 20 and 26, whichever is longer, measured with 100,000 of them. Units: nanoseconds. */
const COSTS = {
  functions: 60,
  imports: 1_000,
  exports: 4_500,
  globals: 30,
  tags: 30,
  tables: 1_200,
  'elements of tables': 80,
  'segments of elements': 200,
  'elements of segments': 100,
  'segments of data': 30,
  'bytes of data': 0.6,
  'component instances': 2_000,
  'adapted functions': 2_500,
} as const

type Part = keyof typeof COSTS

/** How many there are of each part. */
export type InstanceParts = Readonly<Partial<Record<Part, number>>>

/**
 * CPython, linked from shared libraries, is a sixteenth of this, and the largest that toolchains make; JavaScript engines
 * are a hundredth. Units: nanoseconds.
 */
const WORK_MAX = 500_000_000

const ELEMENTS = 9
const DATA = 11

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function partsOf(binary: Uint8Array, module: CoreModule): InstanceParts {
  let segments = 0
  let elements = 0
  let dataSegments = 0
  let dataSizeBytes = 0
  for (const { id, payload, end } of module.sections) {
    const reader = new Reader(binary, payload, end)
    if (id === ELEMENTS)
      reader.vector('element segment', () => {
        segments++
        elements += skipElements(reader)
      })
    else if (id === DATA)
      reader.vector('data segment', () => {
        dataSegments++
        dataSizeBytes += skipData(reader)
      })
  }
  return {
    functions: module.functions.length,
    imports: module.imports.length,
    exports: module.exports.length,
    globals: module.globals.length,
    tags: module.externs.tag.length,
    tables: module.tableCount - module.tableImportCount,
    'elements of tables': module.tableElementCount,
    'segments of elements': segments,
    'elements of segments': elements,
    'segments of data': dataSegments,
    'bytes of data': dataSizeBytes,
  }
}

/** Passes over one data segment: bits of the flags are 1 passive, 2 a memory's index. Gives the size of its bytes. */
function skipData(reader: Reader): number {
  const flags = reader.u32('data segment')
  if (flags === 2) reader.u32('memory index')
  if (flags !== 1) skipConstant(reader)
  const sizeBytes = reader.count('data')
  reader.skip(sizeBytes, 'data')
  return sizeBytes
}

/**
 * Refuses a component whose instances are made of `parts`: a part of the list for each core instance, and one for all that
 * stands around them.
 * @throws ERR_COMPONENT_FEATURE naming what there is most of
 */
export function checkInstanceWork(parts: readonly InstanceParts[]): void {
  const counts = new Map<Part, number>()
  for (const one of parts)
    for (const [part, count] of Object.entries(one))
      counts.set(part as Part, (counts.get(part as Part) ?? 0) + count)
  const costs = [...counts].map(([part, count]) => ({ part, count, cost: COSTS[part] * count }))
  if (costs.reduce((sum, { cost }) => sum + cost, 0) <= WORK_MAX) return
  const [most] = costs.sort((a, b) => b.cost - a.cost)
  throw featureError(
    `an instance of too much to be made for each actor, most of it ${most?.count ?? 0} ${most?.part ?? ''}`,
  )
}
