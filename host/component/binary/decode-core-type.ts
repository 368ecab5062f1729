/**
 * Decode, core types: function and module types of the core type section, and of declarations.
 *
 * Owns: `core:type` as bytes. Does not own: what an index stands for (validate/core-types.ts).
 *
 * Invariant DC1. A module type contains function types only, so nothing here recurses deeper than twice.
 *
 * Source: Component Model Binary.md, "Type Definitions"; WebAssembly Core Specification, "Types", "Imports".
 */

import { hex, type Reader } from '../bytes.ts'
import {
  type CoreLimits,
  type CoreType,
  isReference,
  readCoreType,
  readMemory,
} from '../core/module.ts'
import { featureError } from '../refuse.ts'
import type { CoreExternNode, CoreTypeNode, ModuleDeclaration } from './ast.ts'

const FUNCTION = 0x60
const MODULE = 0x50
const TABLE_SIZE_MAX = 0xffff_ffff
const PAGE_COUNT_MAX = 65_536

/** Of references only those of functions and of the outside have a form that needs no index. */
function readValueType(reader: Reader): CoreType {
  const offset = reader.position
  const type = readCoreType(reader)
  if (type === 'ref') throw featureError('core reference type', offset)
  return type
}

function checkLimits(
  { minimum, maximum }: CoreLimits,
  most: number,
  what: string,
  reader: Reader,
  offset: number,
): void {
  if (minimum > most || (maximum ?? 0) > most)
    reader.fail(`${what}: the limits exceed ${most}`, offset)
  if (maximum !== null && minimum > maximum)
    reader.fail(`${what}: the minimum ${minimum} exceeds the maximum ${maximum}`, offset)
}

function readTable(reader: Reader): CoreExternNode {
  const offset = reader.position
  const element = readValueType(reader)
  if (!isReference(element)) reader.fail(`core table: ${element} is not a reference`, offset)
  const flags = reader.byte('limits')
  if (flags > 0x01) throw featureError('64-bit or shared table', reader.position - 1)
  const minimum = reader.u32('minimum')
  const limits = { minimum, maximum: flags === 0 ? null : reader.u32('maximum') }
  checkLimits(limits, TABLE_SIZE_MAX, 'core table', reader, offset)
  return { kind: 'table', element, limits }
}

function readGlobal(reader: Reader): CoreExternNode {
  const type = readValueType(reader)
  const mutability = reader.byte('mutability')
  if (mutability > 1) throw featureError('shared global (threads)', reader.position - 1)
  return { kind: 'global', type, mutable: mutability === 1 }
}

function readExternType(reader: Reader): CoreExternNode {
  const offset = reader.position
  const code = reader.byte('core extern type')
  switch (code) {
    case 0x00:
      return { kind: 'func', type: reader.u32('core type index') }
    case 0x01:
      return readTable(reader)
    case 0x02: {
      const limits = readMemory(reader)
      checkLimits(limits, PAGE_COUNT_MAX, 'core memory', reader, offset)
      return { kind: 'memory', limits }
    }
    case 0x03:
      return readGlobal(reader)
    case 0x04:
      reader.expect(0x00, 'tag attribute')
      return { kind: 'tag', type: reader.u32('core type index') }
    default:
      return reader.fail(`unknown core extern type ${hex(code)}`, offset)
  }
}

function readDeclaration(reader: Reader): ModuleDeclaration {
  const offset = reader.position
  const kind = reader.byte('module declaration')
  switch (kind) {
    case 0x00: {
      const module = reader.name('import module')
      const name = reader.name('import name')
      return { kind: 'import', offset, module, name, type: readExternType(reader) }
    }
    case 0x01:
      // A module type cannot stand here, so this is a subtype ("Type Definitions", notes).
      if (reader.peek() === MODULE) throw featureError('core subtype', reader.position)
      return { kind: 'type', offset, type: readCoreTypeNode(reader) }
    case 0x02: {
      reader.expect(0x10, 'sort of a core alias')
      reader.expect(0x01, 'target of a core alias')
      return {
        kind: 'alias',
        offset,
        scopes: reader.u32('scope count'),
        index: reader.u32('index'),
      }
    }
    case 0x03:
      return {
        kind: 'export',
        offset,
        name: reader.name('export name'),
        type: readExternType(reader),
      }
    default:
      return reader.fail(`unknown module declaration ${hex(kind)}`, offset)
  }
}

/** `core:type`. */
export function readCoreTypeNode(reader: Reader): CoreTypeNode {
  const offset = reader.position
  const code = reader.byte('core type')
  if (code === FUNCTION) {
    const params = reader.vector('core parameter', () => readValueType(reader))
    const results = reader.vector('core result', () => readValueType(reader))
    return { kind: 'func', signature: { params, results } }
  }
  if (code !== MODULE) throw featureError(`core type ${hex(code)}`, offset)
  return {
    kind: 'module',
    declarations: reader.vector('module declaration', () => readDeclaration(reader)),
  }
}
