/**
 * AssemblyScript types in signatures -> the interface model.
 *
 * Owns: which type of the language or of the SDK is which WIT type, and refusing the rest.
 * Does not own: the author's own classes and enums (class-shapes.ts), finding the methods
 * (class-reader.ts).
 */
import { VIEWS } from './as-type.ts'
import { refuse } from './class-mistake.ts'
import { moduleOf, ShapeReader } from './class-shapes.ts'
import type { WitDeclarations } from './host-modules.ts'
import type { NamedType, Primitive, Type } from './model.ts'
import { isPrimitive, isReference } from './model.ts'
import type { AssemblyScript, ProgramApi } from './toolchain.ts'

const PRIMITIVES: Readonly<Record<string, Primitive>> = {
  bool: 'bool',
  boolean: 'bool',
  u8: 'u8',
  i8: 's8',
  u16: 'u16',
  i16: 's16',
  u32: 'u32',
  i32: 's32',
  u64: 'u64',
  i64: 's64',
  f32: 'f32',
  f64: 'f64',
  number: 'f64',
}

const SDK = '~lib/loom/index/'
const STANDARD = '~lib/'

export class TypeReader {
  readonly #program: AssemblyScript.Program
  readonly #api: ProgramApi
  readonly #wit: WitDeclarations
  readonly #shapes: ShapeReader

  constructor(program: AssemblyScript.Program, api: ProgramApi, wit: WitDeclarations) {
    this.#program = program
    this.#api = api
    this.#wit = wit
    this.#shapes = new ShapeReader(program, api, (node, context) => this.read(node, context))
  }

  /** The model type that `node` names, seen from `context`. Refuses what has none. */
  read(node: AssemblyScript.TypeNode, context: AssemblyScript.Element): Type {
    if (!this.#isNamed(node)) {
      return refuse(node, 'a function cannot cross the component boundary; name a method instead')
    }
    if (!node.isNullable) return this.#named(node, context)
    const element = this.#named(node, context)
    if (!isReference(element)) {
      refuse(node, `'${node.range}': a number, bool or enum cannot be null; use Option<T>`)
    }
    return { kind: 'option', element, form: 'null' }
  }

  #isNamed(node: AssemblyScript.TypeNode): node is AssemblyScript.NamedTypeNode {
    return node.kind === this.#api.NodeKind.NamedType
  }

  #named(node: AssemblyScript.NamedTypeNode, context: AssemblyScript.Element): Type {
    const { resolver } = this.#program
    const swallow = this.#api.ReportMode.Swallow
    const element = resolver.resolveTypeName(node.name, null, context, swallow)
    if (!element) return refuse(node, `cannot find the type '${node.name.range}'`)
    const declared = this.#declared(element, node)
    if (declared) return declared
    const { ElementKind } = this.#api
    if (element.kind === ElementKind.Enum) {
      return this.#shapes.enumeration(element as AssemblyScript.Enum, node)
    }
    if (element.kind === ElementKind.ClassPrototype) {
      return this.#class(element as AssemblyScript.ClassPrototype, node, context)
    }
    const definition = element.kind === ElementKind.TypeDefinition ? element : element.shadowType
    if (definition) return this.#alias(definition as AssemblyScript.TypeDefinition, node)
    return refuse(node, `'${element.name}' cannot cross the component boundary; use a class`)
  }

  /** The type that a class made from WIT stands for. */
  #declared(
    element: AssemblyScript.Element,
    node: AssemblyScript.NamedTypeNode,
  ): NamedType | undefined {
    const module = moduleOf(element)
    const found = this.#wit.definition(module, element.name)
    if (found?.kind === 'resource') {
      refuse(node, `'${element.name}' is a resource of the host; an actor cannot pass it on`)
    }
    if (this.#wit.contract(module, element.name)) {
      refuse(node, `'${element.name}' is an interface, not a type of values; extend it`)
    }
    return found
  }

  #alias(definition: AssemblyScript.TypeDefinition, node: AssemblyScript.NamedTypeNode): Type {
    if (definition.internalName === `${SDK}char`) return { kind: 'char' }
    if (definition.internalName === `${SDK}Unit`) {
      return refuse(
        node,
        `'Unit' is only for Result<Unit, E> and Result<T, Unit>; use void or bool`,
      )
    }
    if (definition.parent !== this.#program.nativeFile) {
      return this.read(definition.typeNode, definition.parent)
    }
    const kind = PRIMITIVES[definition.name]
    if (kind) return { kind }
    return refuse(node, `'${definition.name}' has no component type; use a type of fixed size`)
  }

  #class(
    prototype: AssemblyScript.ClassPrototype,
    node: AssemblyScript.NamedTypeNode,
    context: AssemblyScript.Element,
  ): Type {
    const name = prototype.internalName
    if (name.startsWith(SDK)) return this.#sdkClass(prototype.name, node, context)
    if (!name.startsWith(STANDARD) || name.startsWith(`${STANDARD}loom/`)) {
      return this.#shapes.class(prototype, node)
    }
    if (name === '~lib/string/String') return { kind: 'string' }
    const view = VIEWS[prototype.name]
    if (view && name.startsWith('~lib/typedarray/')) {
      return { kind: 'list', element: { kind: view }, form: prototype.name }
    }
    if (name === '~lib/array/Array') {
      return { kind: 'list', element: this.#argument(node, 0, context), form: 'Array' }
    }
    if (name === '~lib/staticarray/StaticArray') {
      const element = this.#argument(node, 0, context)
      if (!isPrimitive(element)) refuse(node, 'a StaticArray of other than numbers; use Array')
      return { kind: 'list', element, form: 'StaticArray' }
    }
    if (name === '~lib/map/Map') {
      const elements = [this.#argument(node, 0, context), this.#argument(node, 1, context)]
      return { kind: 'list', element: { kind: 'tuple', elements }, form: 'Map' }
    }
    return refuse(
      node,
      `'${prototype.name}' has no component type; copy it into a class or an Array`,
    )
  }

  #sdkClass(
    name: string,
    node: AssemblyScript.NamedTypeNode,
    context: AssemblyScript.Element,
  ): Type {
    const { length } = node.typeArguments ?? []
    switch (name) {
      case 'Option':
        return { kind: 'option', element: this.#argument(node, 0, context), form: 'Option' }
      case 'Result':
        return {
          kind: 'result',
          ok: this.#side(node, 0, context),
          err: this.#side(node, 1, context),
        }
      default: {
        const elements = Array.from({ length }, (_, index) => this.#argument(node, index, context))
        return { kind: 'tuple', elements }
      }
    }
  }

  #argument(
    node: AssemblyScript.NamedTypeNode,
    index: number,
    context: AssemblyScript.Element,
  ): Type {
    const argument = node.typeArguments?.[index]
    if (!argument) return refuse(node, `'${node.range}' needs a type argument`)
    return this.read(argument, context)
  }

  /** One side of a Result: null for the SDK's Unit. */
  #side(
    node: AssemblyScript.NamedTypeNode,
    index: number,
    context: AssemblyScript.Element,
  ): Type | null {
    const argument = node.typeArguments?.[index]
    if (argument && this.#isNamed(argument)) {
      const swallow = this.#api.ReportMode.Swallow
      const { resolver } = this.#program
      const element = resolver.resolveTypeName(argument.name, null, context, swallow)
      if (element?.internalName === `${SDK}Unit`) return null
    }
    return this.#argument(node, index, context)
  }
}
