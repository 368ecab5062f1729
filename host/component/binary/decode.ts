/**
 * Decode: a component binary becomes an AST.
 *
 * Owns: the preamble, the sections, nested components. Does not own: types (decode-type.ts), canonical
 * definitions (decode-canon.ts), core modules (module.ts), the meaning of indices (link.ts).
 *
 * Invariants:
 *   D1. Work and memory are linear in the size of the binary, whatever it holds; nesting is bounded.
 *   D2. Every refusal names what was read and the byte offset in the outermost binary.
 *   D3. Nothing is skipped that could change what the component does; only custom sections are.
 *
 * Source: Component Model Binary.md, "Component Definitions" to "Import and Export Definitions".
 */
import { COMPONENT_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { hex, Reader } from '../bytes.ts'
import { featureError } from '../refuse.ts'
import type { Argument, ComponentNode, CoreSortIndex, Definition, SortIndex } from './ast.ts'
import { readCanon } from './decode-canon.ts'
import { readCoreTypeNode } from './decode-core-type.ts'
import {
  DEPTH_MAX,
  readAlias,
  readCoreSort,
  readExtern,
  readNamedExtern,
  readSort,
  readType,
} from './decode-type.ts'
import { checkNamed, NameScope, readExternName } from './extern-name.ts'

const MAGIC = [0x00, 0x61, 0x73, 0x6d] as const
const VERSION = 0x0d
const LAYER_COMPONENT = 0x01

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function decodeComponent(bytes: Uint8Array): ComponentNode {
  const reader = new Reader(bytes)
  if (bytes.length > COMPONENT_SIZE_MAX_BYTES)
    reader.fail(`${bytes.length} bytes exceed the limit of ${COMPONENT_SIZE_MAX_BYTES}`)
  return readComponent(reader, 0)
}

function readPreamble(reader: Reader): void {
  const start = reader.position
  for (const byte of MAGIC)
    if (reader.byte('magic number') !== byte)
      reader.fail('not WebAssembly: the magic number is wrong', start)
  const version = reader.byte('version') | (reader.byte('version') << 8)
  const layer = reader.byte('layer') | (reader.byte('layer') << 8)
  if (version === 1 && layer === 0)
    reader.fail(
      'this is a core module; make it a component with `wasm-tools component new`',
      start + 4,
    )
  if (layer !== LAYER_COMPONENT || version !== VERSION)
    reader.fail(`unknown version ${hex(version)} of layer ${hex(layer)}`, start + 4)
}

function readComponent(reader: Reader, depth: number): ComponentNode {
  if (depth > DEPTH_MAX) reader.fail(`components nest deeper than ${DEPTH_MAX}`)
  readPreamble(reader)
  const definitions: Definition[] = []
  while (!reader.done) {
    const offset = reader.position
    const id = reader.byte('section id')
    const size = reader.u32('section size')
    const section = reader.section(size, `section ${id}`)
    section.spend(1, 'section', offset)
    readSection(id, section, offset, depth, definitions)
    if (!section.done) section.fail(`section ${id} has ${section.remaining} bytes too many`)
  }
  checkNames(definitions)
  return { definitions }
}

function checkNames(definitions: readonly Definition[]): void {
  const names = { import: new NameScope('import'), export: new NameScope('export') }
  for (const definition of definitions)
    if (definition.kind === 'import' || definition.kind === 'export')
      names[definition.kind].add(definition.name, definition.offset)
}

function readSection(
  id: number,
  section: Reader,
  offset: number,
  depth: number,
  out: Definition[],
): void {
  switch (id) {
    case 0:
      section.name('custom section')
      section.position = section.end
      return
    case 1:
      out.push({ kind: 'core-module', offset, start: section.position, end: section.end })
      section.position = section.end
      return
    case 4:
      out.push({ kind: 'component', offset, component: readComponent(section, depth + 1) })
      return
    case 9:
      throw featureError('start definition', offset)
    case 12:
      throw featureError('value definition', offset)
    default: {
      const read = VECTOR_SECTIONS[id]
      if (read === undefined) section.fail(`unknown section ${id}`, offset)
      section.vector('definition', () => out.push(read(section, depth)))
    }
  }
}

const VECTOR_SECTIONS: Readonly<Record<number, (reader: Reader, depth: number) => Definition>> = {
  2: readCoreInstance,
  3: (reader) => ({
    kind: 'core-type',
    offset: reader.position,
    type: readCoreTypeNode(reader),
  }),
  5: readInstance,
  6: (reader) => ({ kind: 'alias', offset: reader.position, alias: readAlias(reader) }),
  7: (reader, depth) => ({ kind: 'type', offset: reader.position, type: readType(reader, depth) }),
  8: readCanon,
  10: (reader) => ({ kind: 'import', offset: reader.position, ...readNamedExtern(reader) }),
  11: readExport,
}

function readCoreInstance(reader: Reader): Definition {
  const offset = reader.position
  const form = reader.byte('core instance')
  if (form === 0x00) {
    const module = reader.u32('core module index')
    const args = reader.vector('instantiation argument', () => {
      const name = reader.name('argument name')
      reader.expect(0x12, 'sort of the argument')
      return { name, instance: reader.u32('core instance index') }
    })
    return { kind: 'core-instantiate', offset, module, args }
  }
  if (form !== 0x01) reader.fail(`unknown core instance ${hex(form)}`, offset)
  const exports = reader.vector('inline export', () => ({
    name: reader.name('export name'),
    item: readCoreSortIndex(reader),
  }))
  return { kind: 'core-bundle', offset, exports }
}

function readCoreSortIndex(reader: Reader): CoreSortIndex {
  return { sort: readCoreSort(reader), index: reader.u32('core index') }
}

function readSortIndex(reader: Reader): SortIndex {
  const offset = reader.position
  const sort = readSort(reader)
  if (sort === 'core-type') reader.fail('core type cannot stand here', offset)
  return { sort, index: reader.u32('index') }
}

function readInstance(reader: Reader): Definition {
  const offset = reader.position
  const form = reader.byte('instance')
  if (form === 0x00) {
    const component = reader.u32('component index')
    const args = reader.vector('instantiation argument', () => ({
      name: reader.name('argument name'),
      item: readSortIndex(reader),
    }))
    return { kind: 'instantiate', offset, component, args }
  }
  if (form !== 0x01) reader.fail(`unknown instance ${hex(form)}`, offset)
  const names = new NameScope('export')
  const exports = reader.vector('inline export', () => readInlineExport(reader, names))
  return { kind: 'bundle', offset, exports }
}

function readInlineExport(reader: Reader, names: NameScope): Argument {
  const offset = reader.position
  const name = readExternName(reader)
  const item = readSortIndex(reader)
  checkNamed(name, item.sort, offset)
  names.add(name.name, offset)
  return { name: name.name, item }
}

function readExport(reader: Reader): Definition {
  const offset = reader.position
  const named = readExternName(reader)
  const item = readSortIndex(reader)
  checkNamed(named, item.sort, offset)
  const { name } = named
  const flagOffset = reader.position
  const flag = reader.byte('optional extern type')
  if (flag > 0x01)
    reader.fail(`optional extern type: expected 0x00 or 0x01, got ${hex(flag)}`, flagOffset)
  return { kind: 'export', offset, name, item, type: flag === 0x01 ? readExtern(reader) : null }
}
