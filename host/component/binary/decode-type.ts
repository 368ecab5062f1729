/**
 * Decode, types: the type section of a component.
 *
 * Owns: `type`, `externtype`, names and labels as bytes. Does not own: what an index stands for (link.ts).
 *
 * Invariants:
 *   DT1. Types that contain declarations nest at most DEPTH_MAX deep; value types refer to each other by
 *        index only, so nothing else here recurses.
 *   DT2. Features of the proposal that this host lacks are refused by name, never skipped.
 *
 * Source: Component Model Binary.md, "Type Definitions" and "Import and Export Definitions".
 */

import { hex, type Reader } from '../bytes.ts'
import { featureError } from '../refuse.ts'
import { checkLabels } from '../wit/labels.ts'
import type { WitPrimitive } from '../wit/wit.ts'
import type {
  AliasNode,
  CaseRef,
  CoreSort,
  Declaration,
  ExternNode,
  FuncTypeNode,
  LabelledRef,
  Sort,
  TypeNode,
  ValRef,
} from './ast.ts'
import { readCoreTypeNode } from './decode-core-type.ts'
import { checkNamed, NameScope, readExternName } from './extern-name.ts'

/** Components in components, types in types. wit-component nests three deep. */
export const DEPTH_MAX = 32

const PRIMITIVES: Readonly<Record<number, WitPrimitive>> = {
  127: 'bool',
  126: 's8',
  125: 'u8',
  124: 's16',
  123: 'u16',
  122: 's32',
  121: 'u32',
  120: 's64',
  119: 'u64',
  118: 'f32',
  117: 'f64',
  116: 'char',
  115: 'string',
}

const UNSUPPORTED_TYPES: Readonly<Record<number, string>> = {
  103: 'list of fixed length',
  102: 'stream',
  101: 'future',
  100: 'error-context',
  99: 'map',
  67: 'async function type',
}

const CORE_SORTS: Readonly<Record<number, CoreSort>> = {
  0: 'func',
  1: 'table',
  2: 'memory',
  3: 'global',
  4: 'tag',
  16: 'type',
  17: 'module',
  18: 'instance',
}

const SORTS: Readonly<Record<number, Sort>> = {
  1: 'func',
  3: 'type',
  4: 'component',
  5: 'instance',
}

export function readCoreSort(reader: Reader): CoreSort {
  const offset = reader.position
  const code = reader.byte('core sort')
  return CORE_SORTS[code] ?? reader.fail(`unknown core sort ${hex(code)}`, offset)
}

/** `sort`; of the core sorts only `module` and `type` stand in component-level positions. */
export function readSort(reader: Reader): Sort | 'core-type' {
  const offset = reader.position
  const code = reader.byte('sort')
  if (code === 0x02) throw featureError('value definition', offset)
  if (code !== 0x00) return SORTS[code] ?? reader.fail(`unknown sort ${hex(code)}`, offset)
  const core = readCoreSort(reader)
  if (core === 'module') return 'module'
  if (core === 'type') return 'core-type'
  return reader.fail(`core ${core} cannot stand here`, offset)
}

/** `valtype`: opcodes are negative in SLEB128, type indices are not. */
function readValRef(reader: Reader): ValRef {
  const offset = reader.position
  const code = reader.peek()
  const primitive = PRIMITIVES[code]
  if (primitive !== undefined) {
    reader.position++
    return primitive
  }
  if (UNSUPPORTED_TYPES[code] !== undefined) throw featureError(UNSUPPORTED_TYPES[code], offset)
  if (code >= 0x40 && code <= 0x7f) reader.fail(`unknown value type ${hex(code)}`, offset)
  return reader.u32('type index')
}

function readOptionalRef(reader: Reader): ValRef | null {
  const offset = reader.position
  const flag = reader.byte('optional type')
  if (flag === 0x00) return null
  if (flag === 0x01) return readValRef(reader)
  return reader.fail(`optional type: expected 0x00 or 0x01, got ${hex(flag)}`, offset)
}

function readLabelled(reader: Reader, what: string): LabelledRef[] {
  const offset = reader.position
  const items = reader.vector(what, () => ({
    label: reader.name(what),
    type: readValRef(reader),
  }))
  checkLabels(
    items.map((item) => item.label),
    what,
    offset,
  )
  return items
}

function readLabels(reader: Reader, what: string): string[] {
  const offset = reader.position
  const labels = reader.vector(what, () => reader.name(what))
  checkLabels(labels, what, offset)
  return labels
}

function notEmpty<Item>(reader: Reader, what: string, offset: number, items: Item[]): Item[] {
  if (items.length === 0) reader.fail(`a ${what} needs at least one member`, offset)
  return items
}

function readCases(reader: Reader): CaseRef[] {
  const offset = reader.position
  const cases = reader.vector('variant case', () => {
    const item = { label: reader.name('variant case'), type: readOptionalRef(reader) }
    reader.expect(0x00, 'end of variant case')
    return item
  })
  checkLabels(
    cases.map((item) => item.label),
    'variant case',
    offset,
  )
  return cases
}

function readFuncType(reader: Reader): FuncTypeNode {
  const params = readLabelled(reader, 'parameter')
  const offset = reader.position
  const form = reader.byte('result list')
  if (form === 0x00) return { kind: 'func', params, result: readValRef(reader) }
  if (form !== 0x01) reader.fail(`result list: expected 0x00 or 0x01, got ${hex(form)}`, offset)
  if (reader.byte('result list') !== 0x00) throw featureError('named results', offset)
  return { kind: 'func', params, result: null }
}

/** `deftype`. */
export function readType(reader: Reader, depth: number): TypeNode {
  const offset = reader.position
  if (depth > DEPTH_MAX) reader.fail(`types nest deeper than ${DEPTH_MAX}`, offset)
  const code = reader.byte('type')
  const primitive = PRIMITIVES[code]
  if (primitive !== undefined) return { kind: 'primitive', primitive }
  if (UNSUPPORTED_TYPES[code] !== undefined) throw featureError(UNSUPPORTED_TYPES[code], offset)
  switch (code) {
    case 0x72:
      return {
        kind: 'record',
        fields: notEmpty(reader, 'record', offset, readLabelled(reader, 'field')),
      }
    case 0x71:
      return { kind: 'variant', cases: notEmpty(reader, 'variant', offset, readCases(reader)) }
    case 0x70:
      return { kind: 'list', element: readValRef(reader) }
    case 0x6f:
      return {
        kind: 'tuple',
        elements: notEmpty(
          reader,
          'tuple',
          offset,
          reader.vector('tuple', () => readValRef(reader)),
        ),
      }
    case 0x6e: {
      const labels = notEmpty(reader, 'flags', offset, readLabels(reader, 'flag'))
      if (labels.length > 32) throw featureError('flags type of more than 32 labels', offset)
      return { kind: 'flags', labels }
    }
    case 0x6d:
      return {
        kind: 'enum',
        labels: notEmpty(reader, 'enum', offset, readLabels(reader, 'enum case')),
      }
    case 0x6b:
      return { kind: 'option', element: readValRef(reader) }
    case 0x6a:
      return { kind: 'result', ok: readOptionalRef(reader), err: readOptionalRef(reader) }
    case 0x69:
      return { kind: 'own', resource: reader.u32('resource type index') }
    case 0x68:
      return { kind: 'borrow', resource: reader.u32('resource type index') }
    case 0x40:
      return readFuncType(reader)
    case 0x41:
      return { kind: 'component', declarations: readDeclarations(reader, depth + 1, true) }
    case 0x42:
      return { kind: 'instance', declarations: readDeclarations(reader, depth + 1, false) }
    case 0x3f:
      return readResource(reader)
    case 0x3e:
      throw featureError('resource with an async destructor', offset)
    default:
      return reader.fail(`unknown type ${hex(code)}`, offset)
  }
}

const REP_I64 = 0x7e

function readResource(reader: Reader): TypeNode {
  if (reader.peek() === REP_I64) throw featureError('resource of 64 bits', reader.position)
  reader.expect(0x7f, 'representation of a resource')
  const offset = reader.position
  const flag = reader.byte('destructor')
  if (flag > 0x01) reader.fail(`destructor: expected 0x00 or 0x01, got ${hex(flag)}`, offset)
  return { kind: 'resource', destructor: flag === 0x01 ? reader.u32('destructor') : null }
}

function readDeclaredType(reader: Reader, depth: number): TypeNode {
  const offset = reader.position
  const type = readType(reader, depth)
  if (type.kind === 'resource') reader.fail('a resource is defined inside of a type', offset)
  return type
}

function readDeclarations(reader: Reader, depth: number, inComponent: boolean): Declaration[] {
  const imports = new NameScope('import')
  const exports = new NameScope('export')
  return reader.vector('declaration', (): Declaration => {
    const offset = reader.position
    const code = reader.byte('declaration')
    switch (code) {
      case 0x00:
        return { kind: 'core-type', offset, type: readCoreTypeNode(reader) }
      case 0x01:
        return { kind: 'type', offset, type: readDeclaredType(reader, depth + 1) }
      case 0x02:
        return { kind: 'alias', offset, alias: readAlias(reader) }
      case 0x04: {
        const named = readNamedExtern(reader)
        exports.add(named.name, offset)
        return { kind: 'export', offset, ...named }
      }
      default: {
        if (code !== 0x03 || !inComponent) reader.fail(`unknown declaration ${hex(code)}`, offset)
        const named = readNamedExtern(reader)
        imports.add(named.name, offset)
        return { kind: 'import', offset, ...named }
      }
    }
  })
}

/** The name of an import or export, and what it names. */
export function readNamedExtern(reader: Reader): {
  readonly name: string
  readonly type: ExternNode
} {
  const offset = reader.position
  const name = readExternName(reader)
  const type = readExtern(reader)
  checkNamed(name, type.kind, offset)
  return { name: name.name, type }
}

/** `externtype`. */
export function readExtern(reader: Reader): ExternNode {
  const offset = reader.position
  const code = reader.byte('extern type')
  switch (code) {
    case 0x00:
      reader.expect(0x11, 'core sort of an extern type')
      return { kind: 'module', type: reader.u32('core type index') }
    case 0x01:
      return { kind: 'func', type: reader.u32('type index') }
    case 0x02:
      throw featureError('value import or export', offset)
    case 0x03: {
      const bound = reader.byte('type bound')
      if (bound === 0x00) return { kind: 'type', equals: reader.u32('type index') }
      if (bound === 0x01) return { kind: 'resource' }
      return reader.fail(`type bound: expected 0x00 or 0x01, got ${hex(bound)}`, offset + 1)
    }
    case 0x04:
      return { kind: 'component', type: reader.u32('type index') }
    case 0x05:
      return { kind: 'instance', type: reader.u32('type index') }
    default:
      return reader.fail(`unknown extern type ${hex(code)}`, offset)
  }
}

/** `alias`. */
export function readAlias(reader: Reader): AliasNode {
  const offset = reader.position
  // The sort stands before the form: a core sort other than module needs the form to make sense.
  const isCore = reader.peek() === 0x00
  if (isCore) reader.position++
  const coreSort = isCore ? readCoreSort(reader) : null
  const sort = isCore ? null : (readSort(reader) as Sort)
  const form = reader.byte('alias')
  if (form === 0x01 && coreSort !== null)
    return {
      kind: 'core-export',
      sort: coreSort,
      instance: reader.u32('core instance index'),
      name: reader.name('export name'),
    }
  const item = coreSort === 'module' ? 'module' : coreSort === 'type' ? 'core-type' : sort
  if (item === null) return reader.fail(`core ${coreSort} cannot be aliased so`, offset)
  if (form === 0x02)
    return {
      kind: 'outer',
      sort: item,
      scopes: reader.u32('scope count'),
      index: reader.u32('index'),
    }
  if (form !== 0x00 || item === 'core-type') return reader.fail('unknown form of alias', offset)
  return {
    kind: 'export',
    sort: item,
    instance: reader.u32('instance index'),
    name: reader.name('export name'),
  }
}
