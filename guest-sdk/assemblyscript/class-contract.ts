/**
 * A class that implements an interface which is there already.
 *
 * Owns: finding the interface (the abstract class made from WIT that the class extends), and saying what
 * the class lacks, has too much, or has with another signature.
 * Does not own: reading methods (class-methods.ts).
 */
import { asType } from './as-type.ts'
import type { Method, MethodReader } from './class-methods.ts'
import { membersOf } from './class-methods.ts'
import { refuse } from './class-mistake.ts'
import { moduleOf } from './class-shapes.ts'
import type { WitDeclarations } from './host-modules.ts'
import type { Func, Interface } from './model.ts'
import { definitions } from './model.ts'
import { identifier } from './names.ts'
import type { AssemblyScript } from './toolchain.ts'
import type { Contract } from './wit-classes.ts'

/** The contract that the class or one of its base classes extends. */
export function contractOf(
  prototype: AssemblyScript.ClassPrototype,
  wit: WitDeclarations,
): Contract | null {
  for (let base = prototype.basePrototype; base; base = base.basePrototype) {
    const found = wit.contract(moduleOf(base), base.name)
    if (found) return found
  }
  return null
}

/** The exported interface. Refuses the class when a function is missing. */
export function fulfil(
  prototype: AssemblyScript.ClassPrototype,
  contract: Contract,
  abstractFlag: number,
): Interface {
  const members = membersOf(prototype)
  const { id, doc, funcs } = contract.interface
  const missing = funcs.filter((func) => members.get(func.method)?.is(abstractFlag) ?? true)
  if (missing.length > 0) {
    const wanted = missing.map(spelled).join('; ')
    refuse(prototype.declaration.name, `'${prototype.name}' lacks methods of '${id}': ${wanted}`)
  }
  const types = definitions(funcs).filter((type) => type.owner === id)
  return { id, types, funcs, doc }
}

/** Refuses a public method that the contract does not have, or has otherwise. */
export function checkMethod(
  prototype: AssemblyScript.ClassPrototype,
  name: string,
  member: AssemblyScript.DeclaredElement,
  { className, interface: { id, funcs } }: Contract,
  methods: MethodReader,
): void {
  const method = methods.publicMethod(name, member)
  if (!method) return
  const wanted = funcs.find((func) => func.method === name)
  if (!wanted) {
    refuse(
      method.declaration.name,
      `'${id}' (${className}) has no function for method '${name}'; make it private`,
    )
  }
  const { func, node }: Method = methods.method(prototype, name, method)
  if (shape(func) !== shape(wanted)) refuse(node, `'${id}' wants ${spelled(wanted)}`)
}

/** Equal for functions of the same types; names of parameters do not matter. */
function shape({ params, result }: Func): string {
  const types = [...params.map((param) => param.type), ...(result ? [result] : [])]
  return types
    .map((type) => asType(type, ({ module, className }) => `${module}#${className}`))
    .concat(result ? 'result' : 'none')
    .join(', ')
}

function spelled({ method, params, result }: Func): string {
  const list = params.map((param) => `${identifier(param.name)}: ${name(param.type)}`)
  return `${method}(${list.join(', ')}): ${result ? name(result) : 'void'}`
}

function name(type: Func['params'][number]['type']): string {
  return asType(type, ({ className }) => className)
}
