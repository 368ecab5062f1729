/**
 * Fuel: the code section is rewritten so that a guest pays for every instruction before it runs.
 *
 * Owns: the code section as a whole, and the rules. Does not own: finding the places (fuel-scan.ts), writing
 * them (fuel-write.ts), the counters (meter.ts), the other sections (instrument.ts).
 *
 * A charge is `fuel -= cost; if (fuel < 0) unreachable`. Charges stand at the entry of each function, at
 * the head of each loop, and at conditional stretches of code (an arm, what follows a branch or the end of
 * a block) unless these are few instructions, which the charge before pays for in advance:
 *
 *   loop                    charge 9: the loop's own code, and the short arm
 *     ... br_if
 *     if   3 instructions   (absorbed above)
 *     else 80 instructions  charge 80
 *     end
 *
 * Invariants:
 *   FU1. What an instruction costs is charged at a place that every path to it passes since the last time
 *        it ran: its own stretch, or one that stands before the enclosing block. So `fuel spent >=
 *        instructions run`, and each iteration of a loop spends something.
 *   FU2. A charge pays in advance for at most ABSORBED_COUNT_MAX instructions that may not run.
 *   FU3. Instructions whose time grows with an operand are charged by that operand; those that move values, by how
 *        many; functions, by how many locals they have, and, where exceptions may leave them, for that.
 *   FU4. Charges depend on the module's bytes alone: the same turn spends the same fuel in every engine.
 *   FU5. Memory grows as its own maximum says, also where a module imports it. Growth that the type's limit forbids, or
 *        that the host cannot give, traps: no turn that returned has seen either, so neither can change a replay.
 *   FU6. Of NaNs a mutable global holds the canonical one alone: what sets it makes it so. An image says of a global
 *        that it is NaN, not which, and the NaN of 0/0 is another on another CPU. This costs no fuel.
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Code Section"; "Execution", "Instructions".
 */

import { featureError } from '../refuse.ts'
import { Writer } from '../writer.ts'
import { FunctionScan, type StateChanges } from './fuel-scan.ts'
import { FunctionWriter } from './fuel-write.ts'
import { InstructionReader } from './instructions.ts'
import type { CoreModule, Section } from './module.ts'

/** Engines take no larger function: WebAssembly JavaScript Interface, "Implementation-defined Limits". */
const FUNCTION_SIZE_MAX_BYTES = 7_654_321

/** Charging makes ordinary code twice as large; code that is made of `memory.grow` fifteen times. */
export const METERED_SIZE_MAX_BYTES = 256 * 1024 * 1024

/** What there is to say of a module's code. */
export interface MeteredCode {
  /** The new code section's functions, without their count; null where there is no code section. */
  readonly functions: Uint8Array | null
  readonly count: number
  /** State that the code changes and an image cannot hold, in words. */
  readonly hidden: readonly string[]
  /** The code changes tables, its own or imported ones. */
  readonly changesTables: boolean
  /** What the code is to a compiler (engine-work.ts). */
  readonly work: number
}

const CODE = 10

/** True for modules that know an exception: only they can throw one. */
export function mayThrow({ externs }: CoreModule): boolean {
  return externs.tag.length > 0
}

/**
 * `throws`: exceptions may leave the module's functions, its own or those of another module. `importedMax`: of each
 * imported memory, how many pages it can have; null where that is not the same for every instance.
 * @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE
 */
export function meterModule(
  binary: Uint8Array,
  module: CoreModule,
  throws = mayThrow(module),
  importedMax: readonly (number | null)[] = [],
): MeteredCode {
  const section = module.sections.find(({ id }) => id === CODE)
  if (section !== undefined) return meterCode(binary, module, section, throws, importedMax)
  return { functions: null, count: 0, hidden: [], changesTables: false, work: 0 }
}

function meterCode(
  binary: Uint8Array,
  module: CoreModule,
  section: Section,
  throws: boolean,
  importedMax: readonly (number | null)[],
): MeteredCode {
  const pagesMax = module.memories.map((memory, index) => importedMax[index] ?? memory.pagesMax)
  const reader = new InstructionReader(binary, section.payload, section.end)
  const payload = new Writer(2 * (section.end - section.payload))
  const changes: StateChanges = { hidden: new Set(), changesTables: false }
  const count = reader.count()
  const imported = module.functions.length - count
  const body = new Writer()
  let work = 0
  for (let index = 0; index < count; index++) {
    const signature = module.functions[imported + index]
    if (signature === undefined || signature === null)
      throw featureError(
        `the type of core function ${imported + index} (garbage collection)`,
        reader.at,
      )
    reader.end = section.end
    const size = reader.count()
    reader.end = reader.at + size
    if (size > FUNCTION_SIZE_MAX_BYTES || payload.written.length > METERED_SIZE_MAX_BYTES)
      reader.fail(`core function ${imported + index} is too large`)
    body.clear()
    const scan = new FunctionScan(reader, module, signature, changes, throws)
    scan.run()
    work += scan.work
    for (const { kind, value, at } of scan.points)
      if (kind === 'memory.grow' && importedMax[value] === null)
        throw featureError('memory.grow of a memory whose maximum differs between instances', at)
    new FunctionWriter(body, reader.bytes, module, scan, pagesMax).run()
    payload.u32(body.written.length)
    payload.bytes(body.written)
  }
  const { hidden, changesTables } = changes
  return { functions: payload.written, count, hidden: [...hidden], changesTables, work }
}
