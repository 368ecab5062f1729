/**
 * The author's component class -> the exported interface.
 *
 * Owns: finding the class, its methods, and collecting every mistake in them.
 * Does not own: types (class-types.ts), running the compiler (compiler-run.ts).
 *
 * Invariants:
 *   C1. What cannot cross the boundary is a mistake with a place; no public method is left out silently.
 *   C2. Reading goes on after a mistake with the next method, so that one build shows them all.
 */
import { refuse } from './class-mistake.ts'
import { witNameOf } from './class-shapes.ts'
import { TypeReader } from './class-types.ts'
import { findDecorator } from './decorators.ts'
import { docComment } from './doc-comment.ts'
import type { Mistake } from './errors.ts'
import { MistakeFound } from './errors.ts'
import type { ClassRef, Func, Interface, NamedType, Param } from './model.ts'
import { parseInterfaceId } from './names.ts'
import type { AssemblyScript, ProgramApi } from './toolchain.ts'

export interface ActorClass {
  readonly actor: ClassRef
  readonly exported: Interface
}

export interface ClassReading {
  readonly found: ActorClass | null
  readonly mistakes: readonly Mistake[]
}

/** Reads the class with `@component` that the file `entry` exports. */
export function readActorClass(
  program: AssemblyScript.Program,
  api: ProgramApi,
  entry: string,
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
  const found = attempt(() => new ClassReader(program, api, entry, attempt).read())
  return { found, mistakes }
}

type Attempt = <T>(read: () => T) => T | null

interface Method {
  readonly func: Func
  /** Where it is named, for mistakes. */
  readonly node: AssemblyScript.Node
}

class ClassReader {
  readonly #program: AssemblyScript.Program
  readonly #api: ProgramApi
  readonly #entry: string
  readonly #attempt: Attempt
  readonly #types: TypeReader

  constructor(program: AssemblyScript.Program, api: ProgramApi, entry: string, attempt: Attempt) {
    this.#program = program
    this.#api = api
    this.#entry = entry
    this.#attempt = attempt
    this.#types = new TypeReader(program, api)
  }

  read(): ActorClass {
    const { prototype, id } = this.#component()
    this.#attempt(() => this.#checkConstructor(prototype))
    const methods: Method[] = []
    let isComplete = true
    for (const [name, member] of this.#members(prototype)) {
      const method = this.#attempt(() => this.#member(prototype, name, member))
      if (method) methods.push(method)
      else if (method === null) isComplete = false
    }
    const funcs = methods.map((method) => method.func)
    if (isComplete && funcs.length === 0) {
      this.#attempt(() => {
        refuse(prototype.declaration.name, `'${prototype.name}' has no public method to export`)
      })
    }
    this.#checkNames(methods)
    const doc = docComment(prototype.declaration)
    const module = `./${prototype.file.internalName}`
    return { actor: { module, className: prototype.name }, exported: { id, funcs, doc } }
  }

  #component(): { prototype: AssemblyScript.ClassPrototype; id: string } {
    const file = this.#program.filesByName.get(this.#entry)
    const found: { prototype: AssemblyScript.ClassPrototype; id: string }[] = []
    for (const element of file?.exports?.values() ?? []) {
      if (element.kind !== this.#api.ElementKind.ClassPrototype) continue
      const prototype = element as AssemblyScript.ClassPrototype
      const { decorators } = prototype.declaration
      const decorator = findDecorator(decorators, 'component')
      if (!decorator) continue
      if (found.length > 0) {
        refuse(
          prototype.declaration.name,
          'a second @component class; one file makes one component',
        )
      }
      found.push({ prototype, id: interfaceId(decorator) })
    }
    const [first] = found
    if (first) return first
    const message = 'no exported class with @component("namespace:package/interface@1.2.3")'
    throw new MistakeFound({ message, file: `${this.#entry}.ts`, line: 1, column: 1 })
  }

  #checkConstructor(prototype: AssemblyScript.ClassPrototype): void {
    const parameter = prototype.constructorPrototype?.functionTypeNode.parameters[0]
    if (!parameter) return
    refuse(
      parameter,
      `the constructor of a component class takes no arguments: an actor is created by its first call`,
    )
  }

  /** Instance members of the class and of its base classes, the nearest definition of each name. */
  #members(prototype: AssemblyScript.ClassPrototype): Map<string, AssemblyScript.DeclaredElement> {
    const inherited = prototype.basePrototype
      ? this.#members(prototype.basePrototype)
      : new Map<string, AssemblyScript.DeclaredElement>()
    return new Map([...inherited, ...(prototype.instanceMembers ?? [])])
  }

  /** Undefined for what is not a public method: fields, which are state, and private members. */
  #member(
    prototype: AssemblyScript.ClassPrototype,
    name: string,
    member: AssemblyScript.DeclaredElement,
  ): Method | undefined {
    const { CommonFlags, ElementKind } = this.#api
    const isHidden = member.is(CommonFlags.Private) || member.is(CommonFlags.Protected)
    if (isHidden || name.startsWith('_') || name === 'constructor') return undefined
    if (member.kind === ElementKind.PropertyPrototype) {
      const property = member as AssemblyScript.PropertyPrototype
      if (property.isField) return undefined
      const accessor = property.getterPrototype ?? property.setterPrototype
      refuse(
        accessor?.declaration.name ?? member.declaration.name,
        `accessor '${name}' cannot be exported; write a method, or make it private`,
      )
    }
    if (member.kind !== ElementKind.FunctionPrototype) return undefined
    const method = member as AssemblyScript.FunctionPrototype
    return { func: this.#method(prototype, name, method), node: method.declaration.name }
  }

  #method(
    prototype: AssemblyScript.ClassPrototype,
    name: string,
    method: AssemblyScript.FunctionPrototype,
  ): Func {
    const { declaration, functionTypeNode: signature } = method
    if (method.typeParameterNodes?.length) {
      refuse(declaration.name, `generic method '${name}' cannot be exported; make it private`)
    }
    const params = signature.parameters.map((parameter) => this.#param(prototype, parameter))
    const { returnType } = signature
    if (returnType.range.start === returnType.range.end) {
      refuse(declaration.name, `method '${name}' needs a return type (void, if it returns nothing)`)
    }
    const isVoid = returnType.range.toString() === 'void'
    return {
      name: witNameOf(name, declaration.name),
      method: name,
      params,
      result: isVoid ? null : this.#types.read(returnType, prototype),
      doc: docComment(declaration),
    }
  }

  #param(prototype: AssemblyScript.ClassPrototype, parameter: AssemblyScript.ParameterNode): Param {
    const name = parameter.name.text
    if (parameter.initializer || parameter.parameterKind !== this.#api.ParameterKind.Default) {
      refuse(parameter, `parameter '${name}' cannot be optional; take T | null or Option<T>`)
    }
    return {
      name: witNameOf(name, parameter.name),
      type: this.#types.read(parameter.type, prototype),
    }
  }

  /** Functions and types of an interface share one space of names. */
  #checkNames(methods: readonly Method[]): void {
    const owners = new Map<string, string>()
    const types = new Map<string, NamedType>()
    for (const type of this.#types.named) {
      const { className } = type.source
      const other = types.get(type.name)
      types.set(type.name, type)
      owners.set(type.name, `type '${className}'`)
      if (!other) continue
      const [method] = methods
      const text = `types '${other.source.className}' and '${className}' are both '${type.name}' in WIT`
      if (method) this.#attempt(() => refuse(method.node, text))
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

function interfaceId(decorator: AssemblyScript.DecoratorNode): string {
  const [argument] = decorator.args ?? []
  const id = argument ? argument.range.toString().slice(1, -1) : ''
  if (parseInterfaceId(id)?.isVersioned) return id
  return refuse(
    argument ?? decorator,
    '@component needs one string: "namespace:package/interface@1.2.3"',
  )
}
