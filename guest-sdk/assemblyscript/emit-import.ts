/**
 * The import side of a component.
 *
 * Owns: the AssemblyScript module that stands for WIT interfaces: classes for their types and resources,
 * one function per host function, and an abstract class per interface for those who export it.
 * Does not own: reading the WIT (wit-read.ts), names of classes (wit-classes.ts), classes of
 * resources (emit-resource.ts).
 *
 * Invariant: an import that the author's code never calls is not compiled, so the component does not
 * import it. Functions are named `f_name` inside the module, so that a host
 * function called `store` does not hide the compiler's builtin.
 */
import { asType } from './as-type.ts'
import type { Slot } from './emit-lift.ts'
import { liftFlat, liftMemory } from './emit-lift.ts'
import { lowerFlat, lowerMemory } from './emit-lower.ts'
import { declareResource, functionName } from './emit-resource.ts'
import { EmitScope } from './emit-scope.ts'
import { FLAT_PARAMS_MAX, FLAT_RESULTS_MAX, flatten, offsetsOf, sizeOf } from './layout.ts'
import type { Func, NamedType, Type, VariantType } from './model.ts'
import { identifier, pascal } from './names.ts'
import type { Contract, WitModule } from './wit-classes.ts'

/** The source of `module`. */
export function emitImports(module: WitModule): string {
  const scope = new EmitScope(module.name)
  const functions = module.interfaces.flatMap((one) =>
    one.funcs.map((func) => emitFunction(scope, one.id, func)),
  )
  const declarations = module.types.map((type) =>
    type.kind === 'resource' ? declareResource(scope, type, module) : declareType(type),
  )
  const contracts = module.contracts.map((one) => declareContract(scope, one))
  const title = `Imports ${module.interfaces.map((one) => one.id).join(', ')}`
  return scope.module(title, [...declarations, ...contracts].join(''), functions.join(''))
}

/** The interface as an abstract class: an actor that extends it exports it. */
function declareContract(scope: EmitScope, { className, interface: { funcs } }: Contract): string {
  const methods = funcs.map((func) => {
    const params = func.params.map(
      (param) => `${identifier(param.name)}: ${scope.type(param.type)}`,
    )
    const result = func.result ? scope.type(func.result) : 'void'
    return `  abstract ${func.method}(${params.join(', ')}): ${result};\n`
  })
  return `export abstract class ${className} {\n${methods.join('')}}\n`
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
  const name = functionName(func)
  const declaration = `// @ts-ignore: decorator
@external("${interfaceId}", "${func.name}")
declare function host_${name}(${params.join(', ')}): ${core};
`
  const lines = isSpilled ? lowerSpilled(scope, func) : lowerDirect(scope, func)
  const args = isSpilled ? ['p'] : flat.map((_core, index) => `a${index}`)
  if (hasArea && func.result) args.push(scope.area(sizeOf(func.result)))
  lines.push(
    `${result.length === 1 ? 'const c = ' : ''}host_${name}(${args.join(', ')});`,
    'freeTemps();',
  )
  lines.push(...liftResult(scope, func, hasArea, result[0]))
  const body = lines.map((line) => `  ${line}\n`).join('')
  // Members are reached through their resource's class.
  const exported = func.member ? '' : `export { f_${name} as ${func.method} };\n`
  return `${declaration}${signature(scope, func, name)} {\n${body}}\n${exported}`
}

function signature(scope: EmitScope, func: Func, name: string): string {
  const params = func.params.map(
    (param) => `v_${identifier(param.name)}: ${scope.type(param.type)}`,
  )
  return `function f_${name}(${params.join(', ')}): ${resultOf(scope, func)}`
}

/** A constructor's function gives the handle itself, which the new object keeps. */
function resultOf(scope: EmitScope, func: Func): string {
  if (func.member?.kind === 'constructor') return 'i32'
  return func.result ? scope.type(func.result) : 'void'
}

function liftResult(
  scope: EmitScope,
  func: Func,
  hasArea: boolean,
  core: Slot['core'] | undefined,
): string[] {
  if (!func.result || core === undefined) return []
  if (func.member?.kind === 'constructor') return ['return c;']
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
