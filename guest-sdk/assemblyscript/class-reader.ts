/**
 * The author's component classes -> the exported interfaces.
 *
 * Owns: finding the classes, and collecting every mistake in them.
 * Does not own: methods (class-methods.ts), types (class-types.ts), interfaces that exist already
 * (class-contract.ts), running the compiler (compiler-run.ts).
 *
 * Invariants:
 *   C1. What cannot cross the boundary is a mistake with a place; no public method is left out silently.
 *   C2. Reading goes on after a mistake with the next method, so that one build shows them all.
 *   C3. A type belongs to the first interface that uses it; the others `use` it from there.
 */
import { checkMethod, contractOf, fulfil } from './class-contract.ts'
import type { Method } from './class-methods.ts'
import { MethodReader, membersOf } from './class-methods.ts'
import { refuse } from './class-mistake.ts'
import { moduleOf } from './class-shapes.ts'
import { TypeReader } from './class-types.ts'
import { findDecorator } from './decorators.ts'
import { docComment } from './doc-comment.ts'
import type { Mistake } from './errors.ts'
import { MistakeFound } from './errors.ts'
import type { WitDeclarations } from './host-modules.ts'
import type { ClassRef, Interface } from './model.ts'
import { definitions } from './model.ts'
import { parseInterfaceId } from './names.ts'
import type { AssemblyScript, ProgramApi } from './toolchain.ts'
import type { Contract } from './wit-classes.ts'

/** A component class and the interface that it exports. */
export interface ActorClass {
  readonly actor: ClassRef
  readonly exported: Interface
}

export interface ClassReading {
  /** In the order of the source; empty when there was a mistake. */
  readonly found: readonly ActorClass[]
  readonly mistakes: readonly Mistake[]
}

/** Reads the classes with `@component` that the file `entry` exports. */
export function readActorClasses(
  program: AssemblyScript.Program,
  api: ProgramApi,
  entry: string,
  wit: WitDeclarations,
): ClassReading {
  const mistakes: Mistake[] = []
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof MistakeFound)) throw error
      mistakes.push(error.mistake)
      return null
    }
  }
  const reader = new ClassReader(program, api, entry, wit, attempt)
  const found = attempt(() => reader.read()) ?? []
  return { found: mistakes.length === 0 ? found : [], mistakes }
}

const COMPONENT = '@component("namespace:package/interface@1.2.3")'

type Attempt = <T>(read: () => T) => T | null

interface Component {
  readonly prototype: AssemblyScript.ClassPrototype
  readonly id: string
  readonly contract: Contract | null
}

class ClassReader {
  readonly #program: AssemblyScript.Program
  readonly #api: ProgramApi
  readonly #entry: string
  readonly #wit: WitDeclarations
  readonly #attempt: Attempt
  readonly #methods: MethodReader

  constructor(
    program: AssemblyScript.Program,
    api: ProgramApi,
    entry: string,
    wit: WitDeclarations,
    attempt: Attempt,
  ) {
    this.#program = program
    this.#api = api
    this.#entry = entry
    this.#wit = wit
    this.#attempt = attempt
    this.#methods = new MethodReader(api, new TypeReader(program, api, wit))
  }

  read(): ActorClass[] {
    return this.#components().flatMap((one) => {
      const { prototype, contract } = one
      this.#attempt(() => checkConstructor(prototype))
      const exported = this.#attempt(() =>
        contract ? this.#contracted(prototype, contract) : this.#derived(prototype, one.id),
      )
      const actor = { module: moduleOf(prototype), className: prototype.name }
      return exported === null ? [] : [{ actor, exported }]
    })
  }

  #components(): Component[] {
    const file = this.#program.filesByName.get(this.#entry)
    const found: Component[] = []
    for (const element of file?.exports?.values() ?? []) {
      if (element.kind !== this.#api.ElementKind.ClassPrototype) continue
      const prototype = element as AssemblyScript.ClassPrototype
      const decorator = findDecorator(prototype.declaration.decorators, 'component')
      if (!decorator) continue
      const contract = contractOf(prototype, this.#wit)
      const id = interfaceId(decorator, contract)
      const other = found.find((one) => one.id === id)
      if (other) {
        const text = `'${other.prototype.name}' exports '${id}' already; give this class another id`
        refuse(prototype.declaration.name, text)
      }
      found.push({ prototype, id, contract })
    }
    if (found.length > 0) return found
    this.#refuseAlmost(file?.members?.values() ?? [])
    const message = `no exported class with ${COMPONENT}`
    throw new MistakeFound({ message, file: `${this.#entry}.ts`, line: 1, column: 1 })
  }

  /** A class that the author may have meant. */
  #refuseAlmost(declared: Iterable<AssemblyScript.DeclaredElement>): void {
    for (const element of declared) {
      const { declaration, name, kind } = element
      if (kind !== this.#api.ElementKind.ClassPrototype) continue
      const [first] = declaration.decorators ?? []
      if (findDecorator(declaration.decorators, 'component'))
        refuse(declaration.name, `'${name}' has @component, so the file must export it`)
      if (first) {
        const written = first.name.range.toString().replace(/^@/, '')
        refuse(first, `no exported class with ${COMPONENT}: is that what @${written} means?`)
      }
    }
  }

  #contracted(prototype: AssemblyScript.ClassPrototype, contract: Contract): Interface {
    for (const [name, member] of membersOf(prototype)) {
      if (member.is(this.#api.CommonFlags.Abstract)) continue
      this.#attempt(() => checkMethod(prototype, name, member, contract, this.#methods))
    }
    return fulfil(prototype, contract, this.#api.CommonFlags.Abstract)
  }

  #derived(prototype: AssemblyScript.ClassPrototype, id: string): Interface {
    const methods: Method[] = []
    let isComplete = true
    for (const [name, member] of membersOf(prototype)) {
      this.#attempt(() => {
        isComplete = false
        const method = this.#methods.publicMethod(name, member)
        if (method) methods.push(this.#methods.method(prototype, name, method))
        isComplete = true
      })
    }
    const funcs = methods.map((method) => method.func)
    if (isComplete && funcs.length === 0) {
      this.#attempt(() => {
        refuse(prototype.declaration.name, `'${prototype.name}' has no public method to export`)
      })
    }
    this.#checkNames(methods)
    for (const type of definitions(funcs)) if (type.owner === '') type.owner = id
    const types = definitions(funcs).filter((type) => type.owner === id)
    return { id, types, funcs, doc: docComment(prototype.declaration) }
  }

  /** Functions and types of an interface share one space of names. */
  #checkNames(methods: readonly Method[]): void {
    const [first] = methods
    const owners = new Map<string, string>()
    const types = new Map<string, string>()
    for (const { name, source } of definitions(methods.map(({ func }) => func))) {
      const other = types.get(name)
      const text = `types '${other}' and '${source.className}' are both '${name}' in WIT`
      if (other !== undefined && first) this.#attempt(() => refuse(first.node, text))
      types.set(name, source.className)
      owners.set(name, `type '${source.className}'`)
    }
    for (const { func, node } of methods) {
      const other = owners.get(func.name)
      const owner = `method '${func.method}'`
      if (other)
        this.#attempt(() => refuse(node, `${other} and ${owner} are both '${func.name}' in WIT`))
      owners.set(func.name, owner)
    }
  }
}

function checkConstructor(prototype: AssemblyScript.ClassPrototype): void {
  const parameter = prototype.constructorPrototype?.functionTypeNode.parameters[0]
  if (!parameter) return
  refuse(
    parameter,
    `the constructor of a component class takes no arguments: an actor is created by its first call`,
  )
}

function interfaceId(decorator: AssemblyScript.DecoratorNode, contract: Contract | null): string {
  const [argument] = decorator.args ?? []
  const id = argument ? argument.range.toString().slice(1, -1) : ''
  if (contract) {
    const expected = contract.interface.id
    if (id === '' || id === expected) return expected
    return refuse(
      argument ?? decorator,
      `the class extends '${contract.className}', which is '${expected}'; write @component()`,
    )
  }
  if (parseInterfaceId(id)?.isVersioned) return id
  return refuse(
    argument ?? decorator,
    '@component needs one string: "namespace:package/interface@1.2.3"',
  )
}
