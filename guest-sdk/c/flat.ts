/**
 * Values between C and the Canonical ABI's flat form.
 *
 * Owns: the statements that build a C value from core values, and that take one apart.
 * Does not own: which functions need them (emit-glue.ts).
 *
 * The cases of a variant share their slots: a slot has the core type that holds all of them, and a case
 * reinterprets it. In C, core i32 is uint32_t and i64 is uint64_t.
 */
import { type CoreType, flatten, payloads } from '../assemblyscript/layout.ts'
import type { Type } from '../assemblyscript/model.ts'
import { isHandle } from '../assemblyscript/model.ts'
import { cType } from './c-type.ts'
import { member, type Names } from './names.ts'

export const CORE: Readonly<Record<CoreType, string>> = {
  i32: 'uint32_t',
  i64: 'uint64_t',
  f32: 'float',
  f64: 'double',
}

export interface Slot {
  readonly name: string
  readonly core: CoreType
}

/** The core value of type `core` that lies in `slot`. */
function read({ name, core: held }: Slot, core: CoreType): Slot {
  if (held === core) return { name, core }
  const i32 = held === 'i64' ? `(uint32_t)${name}` : name
  if (core === 'i32') return { name: `(${i32})`, core }
  if (core === 'f32') return { name: `loom_f32_of(${i32})`, core }
  return { name: `loom_f64_of(${name})`, core }
}

/** The C expression that puts the core value `value` into a slot that holds `held`. */
function widen(value: string, core: CoreType, held: CoreType): string {
  if (held === core) return value
  if (core === 'f64') return `loom_bits_of_f64(${value})`
  return core === 'f32' ? `loom_bits_of_f32(${value})` : `(uint32_t)(${value})`
}

/** What a variant-like type calls its discriminant and its payloads. */
function variantMembers(type: Type): { readonly tag: string; readonly values: readonly string[] } {
  switch (type.kind) {
    case 'option':
      return { tag: 'some', values: ['', 'value'] }
    case 'result':
      return { tag: 'is_err', values: ['ok', 'err'] }
    case 'variant':
      return { tag: 'tag', values: type.cases.map(({ name }) => `val.${member(name)}`) }
    default:
      throw new Error(`${type.kind} has no payloads`)
  }
}

interface Part {
  readonly type: Type
  readonly of: string
}

/** Members that are flattened one after another; null for scalars, texts and variants. */
function parts(type: Type, of: string): readonly Part[] | null {
  if (type.kind === 'record')
    return type.fields.map((field) => ({ type: field.type, of: `${of}.${member(field.name)}` }))
  if (type.kind === 'tuple')
    return type.elements.map((element, index) => ({ type: element, of: `${of}.f${index}` }))
  return null
}

/** Statements that make the C value `target` of what lies in `slots`. */
export function lift(type: Type, target: string, slots: readonly Slot[], names: Names): string {
  const members = parts(type, target)
  if (members !== null) {
    let at = 0
    return members
      .map((part) => {
        const from = at
        at += flatten(part.type).length
        return lift(part.type, part.of, slots.slice(from, at), names)
      })
      .join('')
  }
  const [first, second] = slots
  if (first === undefined) throw new Error('a type without slots')
  if (type.kind === 'string' || type.kind === 'list') {
    const pointer = type.kind === 'string' ? 'char' : cType(type.element, names)
    return `${target}.ptr = (${pointer} *)${first.name}; ${target}.len = ${second?.name};\n`
  }
  if (isHandle(type)) return `${target}.handle = ${first.name};\n`
  if (type.kind !== 'option' && type.kind !== 'result' && type.kind !== 'variant')
    return `${target} = (${cType(type, names)})${first.name};\n`
  const { tag, values } = variantMembers(type)
  const cases = payloads(type).map((payload, index) => {
    if (payload === null) return ''
    const inner = flatten(payload).map((core, slot) => {
      const shared = slots[slot + 1]
      if (shared === undefined) throw new Error('a payload without a slot')
      return read(shared, core)
    })
    return `case ${index}: ${lift(payload, `${target}.${values[index]}`, inner, names)}break;\n`
  })
  return `${target}.${tag} = ${first.name};\nswitch (${first.name}) {\n${cases.join('')}}\n`
}

/**
 * Statements that put the C value `from` into `slots`, which are zero before. `held` of a slot may be wider
 * than the value.
 */
export function lower(type: Type, from: string, slots: readonly Slot[], names: Names): string {
  const members = parts(type, from)
  if (members !== null) {
    let at = 0
    return members
      .map((part) => {
        const start = at
        at += flatten(part.type).length
        return lower(part.type, part.of, slots.slice(start, at), names)
      })
      .join('')
  }
  const put = (index: number, value: string, core: CoreType): string => {
    const slot = slots[index]
    if (slot === undefined) throw new Error('a value without a slot')
    return `${slot.name} = ${widen(value, core, slot.core)};\n`
  }
  switch (type.kind) {
    case 'string':
    case 'list':
      return put(0, `(uint32_t)${from}.ptr`, 'i32') + put(1, `${from}.len`, 'i32')
    case 'own':
    case 'borrow':
      return put(0, `${from}.handle`, 'i32')
    case 's8':
    case 's16':
      return put(0, `(uint32_t)(int32_t)${from}`, 'i32')
    case 'option':
    case 'result':
    case 'variant': {
      const { tag, values } = variantMembers(type)
      const cases = payloads(type).map((payload, index) =>
        payload === null
          ? ''
          : `case ${index}: ${lower(payload, `${from}.${values[index]}`, slots.slice(1), names)}break;\n`,
      )
      return `${put(0, `${from}.${tag}`, 'i32')}switch ((uint32_t)${from}.${tag}) {\n${cases.join('')}}\n`
    }
    default:
      return put(0, from, flatten(type)[0] ?? 'i32')
  }
}
