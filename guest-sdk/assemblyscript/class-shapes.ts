/**
 * The author's classes and enums -> records, variants, enums and flags.
 *
 * Owns: class with public fields -> record; abstract class and its subclasses -> variant (one case per
 * subclass, in the order of the source); enum -> enum; enum with @flags -> flags.
 * Does not own: types of their fields (class-types.ts reads them through `read`).
 */
import { refuse } from './class-mistake.ts'
import { findDecorator } from './decorators.ts'
import { docComment } from './doc-comment.ts'
import type { ClassRef, EnumType, Field, FlagsType, NamedType, Type, VariantCase } from './model.ts'
import { isWitName, kebab } from './names.ts'
import type { AssemblyScript, ProgramApi } from './toolchain.ts'
import { FLAGS_COUNT_MAX } from './wit-read.ts'

type ReadType = (node: AssemblyScript.TypeNode, context: AssemblyScript.Element) => Type

export class ShapeReader {
  readonly #program: AssemblyScript.Program
  readonly #api: ProgramApi
  readonly #read: ReadType
  readonly #known = new Map<AssemblyScript.Element, NamedType>()
  readonly #open = new Set<AssemblyScript.Element>()

  constructor(program: AssemblyScript.Program, api: ProgramApi, read: ReadType) {
    this.#program = program
    this.#api = api
    this.#read = read
  }

  class(prototype: AssemblyScript.ClassPrototype, node: AssemblyScript.Node): NamedType {
    const known = this.#known.get(prototype)
    if (known) return known
    if (prototype.typeParameterNodes?.length) {
      refuse(node, `generic class '${prototype.name}' cannot be a record; write a concrete class`)
    }
    if (this.#open.has(prototype)) {
      refuse(
        node,
        `'${prototype.name}' contains itself; a component type cannot (hold an index or id)`,
      )
    }
    this.#exported(prototype, node)
    this.#open.add(prototype)
    try {
      const isVariant = prototype.is(this.#api.CommonFlags.Abstract)
      const type = isVariant ? this.#variant(prototype, node) : this.#record(prototype, node)
      this.#known.set(prototype, type)
      return type
    } finally {
      this.#open.delete(prototype)
    }
  }

  enumeration(element: AssemblyScript.Enum, node: AssemblyScript.Node): EnumType | FlagsType {
    const known = this.#known.get(element)
    if (known?.kind === 'enum' || known?.kind === 'flags') return known
    this.#exported(element, node)
    const declaration = element.declaration
    const isFlags = findDecorator(declaration.decorators, 'flags') !== undefined
    const common = {
      name: witNameOf(element.name, declaration.name),
      source: sourceOf(element),
      owner: '',
      doc: docComment(declaration),
    }
    const labels = declaration.values.map((value) => ({
      name: witNameOf(value.name.text, value),
      doc: docComment(value),
    }))
    if (labels.length === 0) refuse(declaration.name, `enum '${element.name}' is empty`)
    if (isFlags) checkBits(declaration)
    else checkSequence(declaration)
    const type: EnumType | FlagsType = isFlags
      ? { kind: 'flags', labels, ...common }
      : { kind: 'enum', cases: labels, ...common }
    this.#known.set(element, type)
    return type
  }

  #record(prototype: AssemblyScript.ClassPrototype, node: AssemblyScript.Node): NamedType {
    const fields = this.#fields(prototype)
    if (fields.length === 0) {
      refuse(node, `class '${prototype.name}' has no public fields; a record needs at least one`)
    }
    return {
      kind: 'record',
      name: witNameOf(prototype.name, prototype.declaration.name),
      fields,
      source: sourceOf(prototype),
      owner: '',
      doc: docComment(prototype.declaration),
    }
  }

  #variant(prototype: AssemblyScript.ClassPrototype, node: AssemblyScript.Node): NamedType {
    const subclasses = this.#subclasses(prototype)
    if (subclasses.length === 0) {
      refuse(node, `abstract class '${prototype.name}' has no subclasses; a variant needs a case`)
    }
    const name = witNameOf(prototype.name, prototype.declaration.name)
    return {
      kind: 'variant',
      name,
      cases: subclasses.map((subclass) => this.#case(prototype, subclass, name)),
      source: sourceOf(prototype),
      owner: '',
      doc: docComment(prototype.declaration),
    }
  }

  /** No field: a bare case. One: its payload. More: a record `shape-rect` that the class itself is. */
  #case(
    base: AssemblyScript.ClassPrototype,
    subclass: AssemblyScript.ClassPrototype,
    variantName: string,
  ): VariantCase {
    const { declaration } = subclass
    this.#exported(subclass, declaration.name)
    const [grandchild] = this.#subclasses(subclass)
    if (grandchild) {
      const text = `'${grandchild.name}' extends a case of variant '${base.name}'; extend '${base.name}'`
      refuse(grandchild.declaration.name, text)
    }
    const affix = new RegExp(`^${base.name}(?=[A-Z])|${base.name}$`)
    const name = witNameOf(subclass.name.replace(affix, '') || subclass.name, declaration.name)
    const source = sourceOf(subclass)
    const fields = this.#fields(subclass)
    const [first] = fields
    const doc = docComment(declaration)
    if (!first) return { name, type: null, source, payload: { kind: 'none' }, doc }
    if (fields.length === 1) {
      const { property, readonly } = first
      return {
        name,
        type: first.type,
        source,
        payload: { kind: 'property', property, readonly },
        doc,
      }
    }
    const type = {
      kind: 'record' as const,
      name: `${variantName}-${name}`,
      fields,
      source,
      owner: '',
      doc,
    }
    this.#known.set(subclass, type)
    return { name, type, source, payload: { kind: 'self' }, doc: '' }
  }

  #subclasses(prototype: AssemblyScript.ClassPrototype): AssemblyScript.ClassPrototype[] {
    const found: AssemblyScript.ClassPrototype[] = []
    for (const element of this.#program.elementsByName.values()) {
      if (element.kind !== this.#api.ElementKind.ClassPrototype) continue
      const subclass = element as AssemblyScript.ClassPrototype
      if (subclass.basePrototype === prototype) found.push(subclass)
    }
    return found
  }

  /** Fields of the class and, before them, of its base classes. */
  #fields(prototype: AssemblyScript.ClassPrototype): Field[] {
    const inherited = prototype.basePrototype ? this.#fields(prototype.basePrototype) : []
    const own: Field[] = []
    for (const [name, member] of prototype.instanceMembers ?? []) {
      const field = this.#fieldDeclaration(member)
      if (field) own.push(this.#field(prototype, name, field))
    }
    return [...inherited, ...own]
  }

  #fieldDeclaration(
    member: AssemblyScript.DeclaredElement,
  ): AssemblyScript.FieldDeclaration | null {
    if (member.kind !== this.#api.ElementKind.PropertyPrototype) return null
    const property = member as AssemblyScript.PropertyPrototype
    return property.isField ? property.fieldDeclaration : null
  }

  #field(
    prototype: AssemblyScript.ClassPrototype,
    property: string,
    declaration: AssemblyScript.FieldDeclaration,
  ): Field {
    const { CommonFlags } = this.#api
    const place = declaration.name
    if (declaration.is(CommonFlags.Private) || declaration.is(CommonFlags.Protected)) {
      refuse(
        place,
        `'${prototype.name}.${property}' is not public, but its class is in the interface`,
      )
    }
    if (!declaration.type) return refuse(place, `field '${property}' needs a type`)
    return {
      name: witNameOf(property, place),
      property,
      type: this.#read(declaration.type, prototype),
      readonly: declaration.is(CommonFlags.Readonly),
      doc: docComment(declaration),
    }
  }

  #exported(element: AssemblyScript.DeclaredElement, node: AssemblyScript.Node): void {
    const { parent } = element
    const isExported =
      parent.kind === this.#api.ElementKind.File &&
      (parent as AssemblyScript.File).lookupExport(element.name) === element
    if (!isExported) {
      refuse(node, `type '${element.name}' is part of the interface, so its file must export it`)
    }
  }
}

/** The module of an element, as an import names it. */
export function moduleOf(element: AssemblyScript.Element): string {
  const path = element.file.internalName
  return path.startsWith('~lib/') ? path.slice('~lib/'.length) : `./${path}`
}

function sourceOf(element: AssemblyScript.Element): ClassRef {
  return { module: moduleOf(element), className: element.name }
}

/** `name` in kebab-case. Refuses a name that WIT cannot spell. */
export function witNameOf(name: string, node: AssemblyScript.Node): string {
  const spelled = kebab(name)
  if (isWitName(spelled)) return spelled
  return refuse(
    node,
    `the name '${name}' has no WIT spelling; use letters and digits, no digit first`,
  )
}

function checkSequence(declaration: AssemblyScript.EnumDeclaration): void {
  declaration.values.forEach((value, index) => {
    const text = value.initializer?.range.toString()
    if (text !== undefined && text !== String(index)) {
      refuse(value, `enum values count 0, 1, 2; mark the enum with @flags for bits`)
    }
  })
}

function checkBits(declaration: AssemblyScript.EnumDeclaration): void {
  const { values } = declaration
  if (values.length > FLAGS_COUNT_MAX)
    refuse(declaration.name, `more than ${FLAGS_COUNT_MAX} flags`)
  values.forEach((value, index) => {
    const text = value.initializer?.range.toString().replaceAll(/\s|_/g, '')
    if (text !== `1<<${index}` && (index > 30 || Number(text) !== 2 ** index)) {
      refuse(value, `the value of this flag must be 1 << ${index}`)
    }
  })
}
