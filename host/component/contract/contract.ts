/**
 * Contract: what a component asks for and offers, with the types that it names.
 *
 * Owns: reading it from a binary, without compiling anything. Does not own: its text (contract-text.ts), what
 * changes of it break (contract-diff.ts).
 *
 * Invariants:
 *   CO1. A named type belongs to the first interface that has it, imports before exports; others use it.
 *   CO2. Functions and types stand in the order of the binary.
 *
 * Documentation is not part of it: the binary format has no place for comments.
 */

import type { Item } from '../link/scope.ts'
import { readComponent } from '../read.ts'
import type { WitFunction, WitResource, WitType } from '../wit/wit.ts'

type NamedTypeKind = 'record' | 'variant' | 'enum' | 'flags'

export interface ContractType {
  /** As this interface calls it. */
  readonly name: string
  /** Null for a resource. */
  readonly type: WitType | null
  /** Where it is defined, and as what, when that is another interface. */
  readonly used: { readonly interfaceName: string; readonly name: string } | null
}

export interface ContractInterface {
  /** `namespace:package/interface@version`; empty for what stands in the world itself. */
  readonly name: string
  readonly types: readonly ContractType[]
  readonly functions: readonly WitFunction[]
}

export interface Contract {
  readonly imports: readonly ContractInterface[]
  readonly exports: readonly ContractInterface[]
}

const NAMED: ReadonlySet<string> = new Set<NamedTypeKind>(['record', 'variant', 'enum', 'flags'])

type Owners = Map<WitType | WitResource, { readonly interfaceName: string; readonly name: string }>

function readType(
  interfaceName: string,
  name: string,
  item: Extract<Item, { sort: 'type' }>,
  owners: Owners,
): ContractType[] {
  const { type } = item
  const isResource = type.kind === 'resource'
  if (!isResource && type.kind !== 'value') return []
  const key = isResource ? type.resource : type.type
  const found = isResource ? null : type.type
  if (found !== null && !NAMED.has(found.kind)) return [{ name, type: found, used: null }]
  const used = owners.get(key) ?? null
  if (used === null) owners.set(key, { interfaceName, name })
  return [{ name, type: found, used: used?.interfaceName === interfaceName ? null : used }]
}

function readInterface(
  name: string,
  items: Iterable<readonly [string, Item]>,
  owners: Owners,
): ContractInterface {
  const types: ContractType[] = []
  const functions: WitFunction[] = []
  for (const [itemName, item] of items) {
    if (item.sort === 'type') types.push(...readType(name, itemName, item, owners))
    if (item.sort === 'func') functions.push({ name: itemName, ...item.func.shape })
  }
  return { name, types, functions }
}

function readSide(items: ReadonlyMap<string, Item>, owners: Owners): ContractInterface[] {
  const own = [...items].filter(([, { sort }]) => sort === 'func' || sort === 'type')
  const world = own.length === 0 ? [] : [readInterface('', own, owners)]
  const interfaces = [...items].flatMap(([name, item]) =>
    item.sort === 'instance' ? [readInterface(name, item.exports, owners)] : [],
  )
  return [...world, ...interfaces]
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function readContract(bytes: Uint8Array): Contract {
  const { given, exports } = readComponent(bytes).link
  const owners: Owners = new Map()
  return { imports: readSide(given, owners), exports: readSide(exports, owners) }
}
