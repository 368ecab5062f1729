/**
 * Names of the classes that a module made from WIT exports.
 *
 * Owns: one class name per type, resource and interface, and one function name per function.
 *
 * Invariant: no two of a module are equal. A name that two interfaces use gets the interface's in
 * front: `history` and `quotes` with a function `get` each give `historyGet` and `quotesGet`.
 */
import { SDK_NAMES } from './as-type.ts'
import type { Definition, Func, Interface } from './model.ts'
import { identifier, pascal, splitInterfaceId } from './names.ts'

/** Classes that generated modules use; a WIT type of this name gets an underscore. */
const TAKEN = ['Array', 'Map', 'StaticArray', 'String', ...SDK_NAMES]

/** A module made from WIT: what it imports from the host, and the contracts that a class may extend. */
export interface WitModule {
  /** As an import names it: `./host/quotes`. */
  readonly name: string
  /** Interfaces whose functions it exports. */
  readonly interfaces: readonly Interface[]
  /** Everything that it declares: types of those interfaces, and what these use. */
  readonly types: readonly Definition[]
  readonly contracts: readonly Contract[]
}

/** An interface as an abstract class. */
export interface Contract {
  readonly className: string
  readonly interface: Interface
}

/** Names every class; `types` are of `interfaces` and of those that they use. */
export function nameModule(
  name: string,
  interfaces: readonly Interface[],
  types: readonly Definition[],
): WitModule {
  const used = new Set<string>(TAKEN)
  const claim = (wanted: string): string => {
    let spelled = wanted
    while (used.has(spelled)) spelled += '_'
    used.add(spelled)
    return spelled
  }
  for (const type of types) {
    const isShared = types.some((other) => other !== type && other.name === type.name)
    const prefix = isShared ? pascal(splitInterfaceId(type.owner).name) : ''
    type.source = { module: name, className: claim(prefix + pascal(type.name)) }
    if (type.kind === 'variant') nameCases(type, name, claim)
  }
  const contracts = interfaces.filter(isContract).map((one) => {
    const wanted = pascal(splitInterfaceId(one.id).name)
    return { className: claim(used.has(wanted) ? `${wanted}Interface` : wanted), interface: one }
  })
  return { name, interfaces: interfaces.map((one) => nameFuncs(one, interfaces)), types, contracts }
}

function nameCases(
  type: Extract<Definition, { kind: 'variant' }>,
  module: string,
  claim: (wanted: string) => string,
): void {
  for (const one of type.cases) {
    one.source = { module, className: claim(type.source.className + pascal(one.name)) }
    if (one.type) one.payload = { kind: 'property', property: 'value', readonly: false }
  }
}

/** An actor cannot export resources. */
function isContract({ funcs, types }: Interface): boolean {
  return funcs.length > 0 && types.every((type) => type.kind !== 'resource')
}

function nameFuncs(one: Interface, all: readonly Interface[]): Interface {
  const { name } = splitInterfaceId(one.id)
  const isShared = (func: Func) =>
    func.member === null &&
    all.some((other) => other !== one && other.funcs.some((its) => its.name === func.name))
  return {
    ...one,
    funcs: one.funcs.map((func) =>
      isShared(func) ? { ...func, method: identifier(`${name}-${func.name}`) } : func,
    ),
  }
}
