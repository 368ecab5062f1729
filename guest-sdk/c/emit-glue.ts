/**
 * The code between the Canonical ABI and the author's functions.
 *
 * Owns: one exported function per function of the exported interfaces, one wrapper per imported function.
 * Does not own: memory (runtime/memory.c).
 *
 * Invariants:
 *   EG1. The memory of the call is cleared when its result has been read: by the post-return function where
 *        the result lies in memory, at the end of the export otherwise.
 *   EG2. A world whose functions pass no memory pulls nothing of the runtime in: there `loom_temp_clear` is
 *        weak, and linked only if the author's code uses memory.
 */
import { FLAT_PARAMS_MAX, FLAT_RESULTS_MAX, flatten } from '../assemblyscript/layout.ts'
import type { Func, Interface, ResourceType, Type } from '../assemblyscript/model.ts'
import { children } from '../assemblyscript/model.ts'
import { cType } from './c-type.ts'
import { type CWorld, dropPrototype, prototype, resourcesOf } from './emit-header.ts'
import { CORE, lift, lower, type Slot } from './flat.ts'
import { member, type Names } from './names.ts'

function usesMemory(type: Type | null): boolean {
  if (type === null) return false
  return type.kind === 'string' || type.kind === 'list' || children(type).some(usesMemory)
}

/** Whether the host, or the result of an export, needs memory of the call. */
function needsMemory({ imports, exports }: CWorld): boolean {
  const given = exports.flatMap(({ funcs }) => funcs.flatMap(({ params }) => params))
  const answered = imports.flatMap(({ funcs }) => funcs.map(({ result }) => result))
  const pointed = exports.flatMap(({ funcs }) => funcs.map(({ result }) => result))
  return (
    given.some(({ type }) => usesMemory(type)) ||
    answered.some(usesMemory) ||
    pointed.some((result) => result !== null && flatten(result).length > FLAT_RESULTS_MAX) ||
    exports.some(({ funcs }) => funcs.some((func) => flatParams(func).length > FLAT_PARAMS_MAX))
  )
}

function flatParams({ params }: Func): Slot[] {
  return params
    .flatMap(({ type }) => flatten(type))
    .map((core, index) => ({ name: `loom_a${index}`, core }))
}

/** How a function's parameters and result cross the boundary. */
interface Shape {
  readonly slots: readonly Slot[]
  readonly isWide: boolean
  readonly isReturnedInMemory: boolean
  readonly coreResult: string
  /** Type of the tuple of parameters, where they go through memory. */
  readonly tuple: string
}

function shapeOf(func: Func, tuple: string): Shape {
  const slots = flatParams(func)
  const flat = func.result === null ? [] : flatten(func.result)
  const [only] = flat
  return {
    slots,
    isWide: slots.length > FLAT_PARAMS_MAX,
    isReturnedInMemory: flat.length > FLAT_RESULTS_MAX,
    coreResult: only === undefined ? 'void' : CORE[only],
    tuple,
  }
}

function declareTuple(func: Func, { isWide, tuple }: Shape, names: Names): string {
  if (!isWide) return ''
  const fields = func.params.map(({ type }, index) => `${cType(type, names)} f${index};`)
  return `struct ${tuple} { ${fields.join(' ')} };\n`
}

/** `result`'s slot, when it is returned directly. */
function resultSlot({ result }: Func): Slot | null {
  const [core] = result === null ? [] : flatten(result)
  return core === undefined ? null : { name: 'loom_flat', core }
}

function emitExport(one: Interface, func: Func, index: number, names: Names): string {
  const shape = shapeOf(func, `loom_export_params_${index}`)
  const { slots, isWide, isReturnedInMemory } = shape
  const external = `${one.id}#${func.name}`
  const pieces: string[] = []
  const args = func.params.map((_, at) => (isWide ? `loom_in->f${at}` : `loom_p${at}`))
  if (!isWide) {
    let at = 0
    func.params.forEach(({ type }, position) => {
      const from = at
      at += flatten(type).length
      pieces.push(`${cType(type, names)} loom_p${position};\n`)
      pieces.push(lift(type, `loom_p${position}`, slots.slice(from, at), names))
    })
  }
  const call = `${names.function(one.id, func)}(${args.join(', ')})`
  const slot = resultSlot(func)
  if (func.result === null) pieces.push(`${call};\nCLEAR();\n`)
  else if (isReturnedInMemory) {
    const type = cType(func.result, names)
    pieces.push(`${type} *loom_out = loom_temp(sizeof(${type}));\n*loom_out = ${call};\n`)
    pieces.push('return loom_out;\n')
  } else if (slot !== null) {
    pieces.push(`${cType(func.result, names)} loom_r = ${call};\n`)
    pieces.push(`${CORE[slot.core]} loom_flat = 0;\n${lower(func.result, 'loom_r', [slot], names)}`)
    pieces.push('CLEAR();\nreturn loom_flat;\n')
  }
  const params = isWide
    ? `struct ${shape.tuple} *loom_in`
    : slots.map(({ name, core }) => `${CORE[core]} ${name}`).join(', ') || 'void'
  const result = isReturnedInMemory ? 'void *' : `${shape.coreResult} `
  const post = isReturnedInMemory
    ? `EXPORT("cabi_post_${external}") void loom_post_${index}(void *loom_out) { (void)loom_out; CLEAR(); }\n`
    : ''
  return `${declareTuple(func, shape, names)}EXPORT("${external}") ${result}loom_export_${index}(${params}) {\n${pieces.join('')}}\n${post}`
}

function emitImport(one: Interface, func: Func, index: number, names: Names): string {
  const shape = shapeOf(func, `loom_import_params_${index}`)
  const { slots, isWide, isReturnedInMemory, tuple } = shape
  const passed: string[] = []
  const pieces: string[] = []
  if (isWide) {
    const values = func.params.map(({ name }) => member(name)).join(', ')
    pieces.push(`struct ${tuple} loom_in = { ${values} };\n`)
    passed.push('&loom_in')
  } else {
    for (const { name, core } of slots) pieces.push(`${CORE[core]} ${name} = 0;\n`)
    let at = 0
    for (const { name, type } of func.params) {
      const from = at
      at += flatten(type).length
      pieces.push(lower(type, member(name), slots.slice(from, at), names))
    }
    passed.push(...slots.map(({ name }) => name))
  }
  const params = isWide ? [`struct ${tuple} *`] : slots.map(({ core }) => CORE[core])
  const slot = resultSlot(func)
  if (isReturnedInMemory) {
    params.push('void *')
    passed.push('&loom_r')
  }
  const called = `loom_import_${index}(${passed.join(', ')})`
  if (func.result === null || slot === null) pieces.push(`${called};\n`)
  else {
    const declared = `${cType(func.result, names)} loom_r;\n`
    pieces.push(
      isReturnedInMemory
        ? `${declared}${called};\nreturn loom_r;\n`
        : `${CORE[slot.core]} loom_flat = ${called};\n${declared}${lift(func.result, 'loom_r', [slot], names)}return loom_r;\n`,
    )
  }
  const result = isReturnedInMemory ? 'void' : shape.coreResult
  return `${declareTuple(func, shape, names)}IMPORT("${one.id}", "${func.name}") ${result} loom_import_${index}(${params.join(', ') || 'void'});
${prototype(one, func, names)} {\n${pieces.join('')}}\n`
}

/** Gives the handles of an imported resource back. */
function emitDrop(resource: ResourceType, names: Names): string {
  const stem = names.resource(resource)
  return `
IMPORT("${resource.owner}", "[resource-drop]${resource.name}") void loom_drop_${stem}(uint32_t);
${dropPrototype(resource, names)} { loom_drop_${stem}(self.handle); }
`
}

const PROLOGUE = `// Made by \`loom build\` from the actor's WIT. Do not edit.
#include "world.h"

#define UNUSED __attribute__((unused))
#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(interface, function) __attribute__((import_module(interface), import_name(function)))

// Run once, before any call: what the C library and __attribute__((constructor)) want done first.
void __wasm_call_ctors(void);
EXPORT("_initialize") void loom_initialize(void) { __wasm_call_ctors(); }

#define CLEAR() if (loom_temp_clear) loom_temp_clear()

UNUSED static inline float loom_f32_of(uint32_t bits) { union { uint32_t i; float f; } u = {bits}; return u.f; }
UNUSED static inline double loom_f64_of(uint64_t bits) { union { uint64_t i; double f; } u = {bits}; return u.f; }
UNUSED static inline uint32_t loom_bits_of_f32(float f) { union { float f; uint32_t i; } u = {f}; return u.i; }
UNUSED static inline uint64_t loom_bits_of_f64(double f) { union { double f; uint64_t i; } u = {f}; return u.i; }
`

export function emitGlue(world: CWorld, names: Names): string {
  let index = 0
  const each = (
    interfaces: readonly Interface[],
    emit: (one: Interface, func: Func, index: number, names: Names) => string,
  ): string[] =>
    interfaces.flatMap((one) => one.funcs.map((func) => `\n${emit(one, func, index++, names)}`))
  return [
    PROLOGUE,
    `\nvoid loom_temp_clear(void)${needsMemory(world) ? '' : ' __attribute__((weak))'};\n`,
    ...each(world.imports, emitImport),
    ...resourcesOf(world.imports).map((resource) => emitDrop(resource, names)),
    ...each(world.exports, emitExport),
  ].join('')
}
