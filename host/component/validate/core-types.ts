/**
 * Core types: function and module types that a component declares, and the type of a core module as it stands.
 *
 * Owns: names that stand twice, indices of module types. Does not own: subtyping (core-match.ts), code, which the
 * engine validates.
 *
 * Source: Component Model Binary.md, "Type Definitions" (`core:moduletype`); Explainer.md, "Core Definition Types".
 */
import type { CoreExternNode, CoreTypeNode, ModuleDeclaration } from '../binary/ast.ts'
import type { CoreExtern, CoreModule, Signature } from '../core/module.ts'
import { formatError } from '../refuse.ts'
import { type CoreImportType, importKey, type ModuleType } from './entity.ts'
import type { CoreTypeItem, Scope } from './scope.ts'

/** A module type that grows by one import or export after the other. */
class ModuleTypeDraft implements ModuleType {
  readonly imports = new Map<string, CoreImportType>()
  readonly exports = new Map<string, CoreExtern>()

  import(wanted: CoreImportType, offset: number): void {
    const { module, name } = wanted
    const key = importKey(module, name)
    if (this.imports.has(key))
      throw formatError(`core module: import "${module}" "${name}" stands twice`, offset)
    this.imports.set(key, wanted)
  }

  export(name: string, type: CoreExtern, offset: number): void {
    if (this.exports.has(name))
      throw formatError(`core module: export "${name}" stands twice`, offset)
    this.exports.set(name, type)
  }
}

/** The type of a core module in the binary. @throws ERR_COMPONENT_FORMAT */
export function moduleTypeOf(
  { imports, exports, externs }: CoreModule,
  offset: number,
): ModuleType {
  const draft = new ModuleTypeDraft()
  for (const { module, name, type } of imports) draft.import({ module, name, type }, offset)
  for (const { name, kind, index } of exports) {
    const type = externs[kind][index]
    if (type === undefined)
      throw formatError(
        `core module: export "${name}" is ${kind} ${index}, which does not exist`,
        offset,
      )
    draft.export(name, type, offset)
  }
  return draft
}

function declareModule(declarations: readonly ModuleDeclaration[], outside: Scope): ModuleType {
  const draft = new ModuleTypeDraft()
  const types: Signature[] = []
  const extern = (node: CoreExternNode): CoreExtern => {
    if (node.kind !== 'func' && node.kind !== 'tag') return node
    const signature = outside.at(types, node.type, 'core type of the module type')
    if (node.kind === 'tag' && signature.results.length > 0)
      outside.fail(`core type ${node.type}: a tag has no results`)
    return { kind: node.kind, signature }
  }
  outside.budget.spend(declarations.length)
  for (const declaration of declarations) {
    outside.offset = declaration.offset
    switch (declaration.kind) {
      case 'import': {
        const { module, name, type } = declaration
        draft.import({ module, name, type: extern(type) }, declaration.offset)
        break
      }
      case 'type':
        if (declaration.type.kind !== 'func') outside.fail('a module type inside of a module type')
        types.push(declaration.type.signature)
        break
      case 'alias':
        types.push(aliased(declaration, types, outside))
        break
      case 'export':
        draft.export(declaration.name, extern(declaration.type), declaration.offset)
    }
  }
  return draft
}

/** Scope 0 is the module type itself, scope 1 what stands around it. */
function aliased(
  { scopes, index }: Extract<ModuleDeclaration, { kind: 'alias' }>,
  types: readonly Signature[],
  outside: Scope,
): Signature {
  if (scopes === 0) return outside.at(types, index, 'core type of the module type')
  const target = outside.outer(scopes - 1)
  const item = outside.at(target.coreTypes, index, 'core type')
  return item.kind === 'func'
    ? item.signature
    : outside.fail(`core type ${index}: expected a func type, got a module type`)
}

export function defineCoreType(node: CoreTypeNode, scope: Scope): CoreTypeItem {
  return node.kind === 'func'
    ? { kind: 'func', signature: node.signature }
    : { kind: 'module', type: declareModule(node.declarations, scope) }
}
