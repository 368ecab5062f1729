/**
 * Methods of the author's class -> functions.
 *
 * Owns: which members are public methods, their signatures.
 * Does not own: types (class-types.ts), which classes there are (class-reader.ts).
 */
import { refuse } from './class-mistake.ts'
import { witNameOf } from './class-shapes.ts'
import type { TypeReader } from './class-types.ts'
import { docComment } from './doc-comment.ts'
import type { Func, Param } from './model.ts'
import type { AssemblyScript, ProgramApi } from './toolchain.ts'

export interface Method {
  readonly func: Func
  /** Where it is named, for mistakes. */
  readonly node: AssemblyScript.Node
}

/** Instance members of the class and of its base classes, the nearest definition of each name. */
export function membersOf(
  prototype: AssemblyScript.ClassPrototype,
): Map<string, AssemblyScript.DeclaredElement> {
  const inherited = prototype.basePrototype
    ? membersOf(prototype.basePrototype)
    : new Map<string, AssemblyScript.DeclaredElement>()
  return new Map([...inherited, ...(prototype.instanceMembers ?? [])])
}

export class MethodReader {
  readonly #api: ProgramApi
  readonly #types: TypeReader

  constructor(api: ProgramApi, types: TypeReader) {
    this.#api = api
    this.#types = types
  }

  /** The public method that `member` is, or null: fields, which are state, and private members. */
  publicMethod(
    name: string,
    member: AssemblyScript.DeclaredElement,
  ): AssemblyScript.FunctionPrototype | null {
    const { CommonFlags, ElementKind } = this.#api
    const isHidden = member.is(CommonFlags.Private) || member.is(CommonFlags.Protected)
    if (isHidden || name.startsWith('_') || name === 'constructor') return null
    if (member.kind === ElementKind.PropertyPrototype) {
      const property = member as AssemblyScript.PropertyPrototype
      if (property.isField) return null
      const accessor = property.getterPrototype ?? property.setterPrototype
      refuse(
        accessor?.declaration.name ?? member.declaration.name,
        `accessor '${name}' cannot be exported; write a method, or make it private`,
      )
    }
    if (member.kind !== ElementKind.FunctionPrototype) return null
    return member as AssemblyScript.FunctionPrototype
  }

  method(
    prototype: AssemblyScript.ClassPrototype,
    name: string,
    method: AssemblyScript.FunctionPrototype,
  ): Method {
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
    const func = {
      name: witNameOf(name, declaration.name),
      method: name,
      member: null,
      params,
      result: isVoid ? null : this.#types.read(returnType, prototype),
      doc: docComment(declaration),
    }
    return { func, node: declaration.name }
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
}
