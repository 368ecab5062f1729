/**
 * Instrument: a core module is rewritten so that its whole mutable state can be reached from outside.
 *
 * Owns: which state counts, and the names under which it is exported. Does not own: capture (host/image).
 *
 * Invariants:
 *   IN1. Every memory and every mutable global that the module defines is exported, under a name of its
 *        own or under `loom:m<index>` and `loom:g<index>`. Nothing else of the module changes.
 *   IN2. A module with mutable state that cannot be captured is refused (globals that hold references or
 *        vectors) or named in `hidden` (tables and segments that code changes).
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Modules", "Export Section".
 */
import { findHiddenState } from './instructions.ts'
import type { CoreModule } from './module.ts'
import { featureError, formatError } from './refuse.ts'

const RESERVED = 'loom:'
const EXPORT_SECTION = 7
/** Sections that stand after the export section: start, elements, data count, code, data. */
const LATER_SECTIONS = new Set([8, 9, 10, 11, 12])
const KIND_MEMORY = 0x02
const KIND_GLOBAL = 0x03

export interface InstrumentedModule {
  readonly bytes: Uint8Array
  /** Export names of the module's own memories, by index. */
  readonly memories: readonly string[]
  /** Export names of the module's own mutable globals, by index. */
  readonly globals: readonly string[]
  /** Mutable state that an image cannot hold today, in words. */
  readonly hidden: readonly string[]
}

interface Addition {
  readonly name: string
  readonly kind: number
  readonly index: number
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function instrument(binary: Uint8Array, module: CoreModule): InstrumentedModule {
  const names = new Map<string, string>()
  for (const { name, kind, index } of module.exports) {
    if (name.startsWith(RESERVED)) throw formatError(`core module exports the reserved "${name}"`)
    names.set(`${kind} ${index}`, name)
  }
  const additions: Addition[] = []
  const nameOf = (kind: 'memory' | 'global', index: number): string => {
    const known = names.get(`${kind} ${index}`)
    if (known !== undefined) return known
    const name = `${RESERVED}${kind === 'memory' ? 'm' : 'g'}${index}`
    additions.push({ name, kind: kind === 'memory' ? KIND_MEMORY : KIND_GLOBAL, index })
    return name
  }
  const memories: string[] = []
  for (let index = module.memoryImportCount; index < module.memoryCount; index++)
    memories.push(nameOf('memory', index))
  const globals: string[] = []
  for (const { index, type, mutable } of module.globals) {
    if (!mutable) continue
    if (type === 'ref' || type === 'v128')
      throw featureError(`mutable global ${index} of type ${type === 'ref' ? 'reference' : type}`)
    globals.push(nameOf('global', index))
  }
  return {
    bytes: rewrite(binary, module, additions),
    memories,
    globals,
    hidden: findHiddenState(binary, module),
  }
}

function rewrite(
  binary: Uint8Array,
  module: CoreModule,
  additions: readonly Addition[],
): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)]
  const before = module.sections.find(({ id }) => LATER_SECTIONS.has(id))
  const existing = module.sections.find(({ id }) => id === EXPORT_SECTION)
  for (const section of module.sections) {
    if (section === before && existing === undefined && additions.length > 0)
      parts.push(exportSection(0, new Uint8Array(0), additions))
    if (section === existing && additions.length > 0) {
      const payload = binary.subarray(section.payload, section.end)
      const { length } = module.exports
      parts.push(exportSection(length, payload.subarray(lebSize(payload)), additions))
    } else parts.push(binary.subarray(section.start, section.end))
  }
  if (before === undefined && existing === undefined && additions.length > 0)
    parts.push(exportSection(0, new Uint8Array(0), additions))
  return Buffer.concat(parts)
}

function exportSection(
  count: number,
  items: Uint8Array,
  additions: readonly Addition[],
): Uint8Array {
  const added = additions.map(({ name, kind, index }) => {
    const text = Buffer.from(name, 'utf8')
    return Buffer.concat([leb(text.length), text, Uint8Array.of(kind), leb(index)])
  })
  const payload = Buffer.concat([leb(count + additions.length), items, ...added])
  return Buffer.concat([Uint8Array.of(EXPORT_SECTION), leb(payload.length), payload])
}

function lebSize(bytes: Uint8Array): number {
  let size = 1
  while ((bytes[size - 1] ?? 0) >= 0x80) size++
  return size
}

function leb(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 0x80
    rest = Math.floor(rest / 0x80)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return Uint8Array.from(bytes)
}
