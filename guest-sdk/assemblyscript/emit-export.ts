/**
 * The export side of a component.
 *
 * Owns: the generated entry module: one core export per method of the author's classes, and the only
 * instance of each class.
 * Does not own: the names of core exports in the binary, which are no identifiers (compile.ts renames
 * by the table that is returned here).
 *
 * Invariants:
 *   X1. The actor is constructed inside its first call, so its constructor and field initialisers may
 *       ask the host, and what they are told is part of that turn.
 *   X2. Every call is bracketed by enter() and leave(); memory is collected only when none is active.
 */

import type { ActorClass } from './class-reader.ts'
import { liftFlat, liftMemory } from './emit-lift.ts'
import { lowerFlat, lowerMemory } from './emit-lower.ts'
import { EmitScope } from './emit-scope.ts'
import { FLAT_PARAMS_MAX, FLAT_RESULTS_MAX, flatten, offsetsOf, sizeOf } from './layout.ts'
import type { Func } from './model.ts'

export interface EntryModule {
  readonly source: string
  /** Export name in the generated module -> name in the core module. */
  readonly renames: ReadonlyMap<string, string>
}

export function emitEntry(classes: readonly ActorClass[]): EntryModule {
  const scope = new EmitScope('')
  const renames = new Map<string, string>()
  const actors: string[] = []
  const functions: string[] = []
  classes.forEach(({ actor, exported }, which) => {
    actors.push(declareActor(scope.className(actor), which))
    for (const func of exported.funcs) {
      const index = functions.length
      renames.set(`call${index}`, `${exported.id}#${func.name}`)
      if (func.result && flatten(func.result).length > FLAT_RESULTS_MAX) {
        renames.set(`post${index}`, `cabi_post_${exported.id}#${func.name}`)
      }
      functions.push(emitFunction(scope, func, index, `actor${which}()`))
    }
  })
  const declarations = `export { cabi_realloc } from "loom/abi";
import "loom/runtime";
${actors.join('')}
`
  const title = `Exports ${classes.map((one) => one.exported.id).join(', ')}`
  return { source: scope.module(title, declarations, functions.join('')), renames }
}

/** The only instance of a component class. */
function declareActor(className: string, which: number): string {
  return `let self${which}: ${className} | null = null;
function actor${which}(): ${className} {
  let it = self${which};
  if (it === null) self${which} = it = new ${className}();
  return it;
}
`
}

function emitFunction(scope: EmitScope, func: Func, index: number, actor: string): string {
  const types = func.params.map((param) => param.type)
  const flat = types.flatMap(flatten)
  const isSpilled = flat.length > FLAT_PARAMS_MAX
  const params = isSpilled ? 'p: usize' : flat.map((core, i) => `a${i}: ${core}`).join(', ')
  const lines = isSpilled ? liftSpilled(scope, func) : liftDirect(scope, func)
  const args = types.map((_type, i) => `x${i}`).join(', ')
  const call = `${actor}.${func.method}(${args});`
  lines.push('freeArgs();')
  const result = func.result ? flatten(func.result) : []
  const [core] = result
  if (!func.result || core === undefined) {
    return wrap(index, params, 'void', [...lines, call, 'leave();'])
  }
  lines.push(`const r = ${call}`)
  if (result.length > FLAT_RESULTS_MAX) {
    const area = scope.area(sizeOf(func.result))
    lines.push(lowerMemory(scope, func.result, 'r', area, 0), `return ${area};`)
    return `${wrap(index, params, 'usize', lines)}export function post${index}(r: usize): void { leave(); }\n`
  }
  const lower = lowerFlat(scope, func.result, 'r', [{ expression: 'f', core }])
  return wrap(index, params, core, [
    ...lines,
    `let f: ${core} = 0;`,
    lower,
    'leave();',
    'return f;',
  ])
}

function wrap(index: number, params: string, result: string, lines: readonly string[]): string {
  const body = ['enter();', ...lines].map((line) => `  ${line}\n`).join('')
  return `export function call${index}(${params}): ${result} {\n${body}}\n`
}

function liftSpilled(scope: EmitScope, func: Func): string[] {
  const offsets = offsetsOf(func.params.map((param) => param.type))
  return func.params.map(
    (param, index) =>
      `const x${index} = ${liftMemory(scope, param.type, 'p', offsets[index] ?? 0)};`,
  )
}

function liftDirect(scope: EmitScope, func: Func): string[] {
  let start = 0
  return func.params.map((param, index) => {
    const slots = flatten(param.type).map((core, i) => ({ expression: `a${start + i}`, core }))
    start += slots.length
    return `const x${index} = ${liftFlat(scope, param.type, slots)};`
  })
}
