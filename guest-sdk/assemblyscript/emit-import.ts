/**
 * The import side of a component.
 *
 * Owns: the AssemblyScript module that stands for imported WIT interfaces: classes for their types
 * and one function per host function.
 * Does not own: reading the WIT (wit-read.ts).
 *
 * Invariant: an import that the author's code never calls is not compiled, so the component does not
 * import it. Functions are named `f_name` inside the module, so that a host
 * function called `store` does not hide the compiler's builtin.
 */
import { asType } from './as-type.ts'
import type { Slot } from './emit-lift.ts'
import { liftFlat, liftMemory } from './emit-lift.ts'
import { lowerFlat, lowerMemory } from './emit-lower.ts'
import { EmitScope } from './emit-scope.ts'
import { FLAT_PARAMS_MAX, FLAT_RESULTS_MAX, flatten, offsetsOf, sizeOf } from './layout.ts'
import type { Func, Interface, NamedType, Type, VariantType } from './model.ts'
import { namedTypes } from './model.ts'
import { identifier, pascal } from './names.ts'

/** The module for `interfaces`, which one WIT file declares. */
export function emitImports(interfaces: readonly Interface[]): string {
  const scope = new EmitScope()
  const functions = interfaces.flatMap((one) =>
    one.funcs.map((func) => emitFunction(scope, one.id, func)),
  )
  const types = namedTypes(interfaces.flatMap((one) => one.funcs))
  const title = `Imports ${interfaces.map((one) => one.id).join(', ')}`
  return scope.module(title, types.map(declareType).join(''), functions.join(''))
}

function spell(type: Type): string {
  return asType(type, (source) => source.className)
}

/** The AssemblyScript declaration of a WIT type. */
function declareType(type: NamedType): string {
  const { className } = type.source
  switch (type.kind) {
    case 'record': {
      const fields = type.fields.map((field) => `public ${field.property}: ${spell(field.type)}`)
      return `export class ${className} { constructor(${fields.join(', ')}) {} }\n`
    }
    case 'enum':
      return `export enum ${className} { ${type.cases.map((label) => pascal(label.name)).join(', ')} }\n`
    case 'flags': {
      const bits = type.labels.map((label, index) => `${pascal(label.name)} = ${1 << index}`)
      return `@flags\nexport enum ${className} { ${bits.join(', ')} }\n`
    }
    case 'variant':
      return declareVariant(type)
  }
}

function declareVariant(type: VariantType): string {
  const base = type.source.className
  const cases = type.cases.map((one) => {
    const body = one.type ? ` constructor(public value: ${spell(one.type)}) { super(); } ` : ''
    return `export class ${one.source.className} extends ${base} {${body}}\n`
  })
  return `export abstract class ${base} {}\n${cases.join('')}`
}

function emitFunction(scope: EmitScope, interfaceId: string, func: Func): string {
  const flat = func.params.flatMap((param) => flatten(param.type))
  const result = func.result ? flatten(func.result) : []
  const isSpilled = flat.length > FLAT_PARAMS_MAX
  const hasArea = result.length > FLAT_RESULTS_MAX
  const params = isSpilled ? ['p: usize'] : flat.map((core, index) => `a${index}: ${core}`)
  if (hasArea) params.push('area: usize')
  const core = hasArea ? 'void' : (result[0] ?? 'void')
  const host = `host_${func.method}`
  const declaration = `// @ts-ignore: decorator
@external("${interfaceId}", "${func.name}")
declare function ${host}(${params.join(', ')}): ${core};
`
  const lines = isSpilled ? lowerSpilled(scope, func) : lowerDirect(scope, func)
  const args = isSpilled ? ['p'] : flat.map((_core, index) => `a${index}`)
  if (hasArea && func.result) args.push(scope.area(sizeOf(func.result)))
  lines.push(
    `${result.length === 1 ? 'const c = ' : ''}${host}(${args.join(', ')});`,
    'freeTemps();',
  )
  lines.push(...liftResult(scope, func, hasArea, result[0]))
  const body = lines.map((line) => `  ${line}\n`).join('')
  const exported = `export { f_${func.method} as ${func.method} };\n`
  return `${declaration}${signature(scope, func)} {\n${body}}\n${exported}`
}

function signature(scope: EmitScope, func: Func): string {
  const params = func.params.map(
    (param) => `v_${identifier(param.name)}: ${scope.type(param.type)}`,
  )
  const result = func.result ? scope.type(func.result) : 'void'
  return `function f_${func.method}(${params.join(', ')}): ${result}`
}

function liftResult(
  scope: EmitScope,
  func: Func,
  hasArea: boolean,
  core: Slot['core'] | undefined,
): string[] {
  if (!func.result || core === undefined) return []
  if (!hasArea) return [`return ${liftFlat(scope, func.result, [{ expression: 'c', core }])};`]
  return [`const r = ${liftMemory(scope, func.result, 'AREA', 0)};`, 'freeArgs();', 'return r;']
}

function lowerSpilled(scope: EmitScope, func: Func): string[] {
  const types = func.params.map((param) => param.type)
  const offsets = offsetsOf(types)
  const size = sizeOf({ kind: 'tuple', elements: types })
  const stores = func.params.map((param, index) =>
    lowerMemory(scope, param.type, `v_${identifier(param.name)}`, 'p', offsets[index] ?? 0),
  )
  return [`const p = temp(${size});`, ...stores]
}

function lowerDirect(scope: EmitScope, func: Func): string[] {
  const slots: Slot[] = func.params
    .flatMap((param) => flatten(param.type))
    .map((core, index) => ({ expression: `a${index}`, core }))
  const variables = slots.map((slot) => `let ${slot.expression}: ${slot.core} = 0;`)
  let start = 0
  const stores = func.params.map((param) => {
    const value = `v_${identifier(param.name)}`
    const line = lowerFlat(scope, param.type, value, slots.slice(start))
    start += flatten(param.type).length
    return line
  })
  return [...variables, ...stores]
}
