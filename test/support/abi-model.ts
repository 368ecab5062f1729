// A model of lifting, written from the definitions of CanonicalABI.md ("Loading", "Flat Lifting") and nothing else:
// slow, plain, without the host's layouts. It is the judge where jco and the host differ. Strings are UTF-8.
import { camelCase } from '../../host/component/wit/labels.ts'
import type { WitType, WitValue } from '../../host/component/wit/wit.ts'
import { listValue } from './number-arrays.ts'

export class ModelTrap extends Error {}

/** The guest's values overlap to more than the model cares to write out. */
export class ModelTooLarge extends Error {}

type Core = 'i32' | 'i64' | 'f32' | 'f64'

/** A core value as its bits, zero-extended to 64. */
export interface CoreBits {
  readonly type: Core
  readonly bits: bigint
}

const ITEM_COUNT_MAX = 200_000

function trapIf(condition: boolean): void {
  if (condition) throw new ModelTrap()
}

function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment
}

/** `despecialize`, as far as it matters here: what has cases, and what has fields. */
function casesOf(type: WitType): (WitType | null)[] | null {
  switch (type.kind) {
    case 'variant':
      return type.cases.map((item) => item.type)
    case 'enum':
      return type.cases.map(() => null)
    case 'option':
      return [null, type.element]
    case 'result':
      return [type.ok, type.err]
    default:
      return null
  }
}

function fieldsOf(type: WitType): WitType[] | null {
  if (type.kind === 'record') return type.fields.map((field) => field.type)
  return type.kind === 'tuple' ? [...type.elements] : null
}

function discriminantSize(count: number): number {
  return count <= 2 ** 8 ? 1 : count <= 2 ** 16 ? 2 : 4
}

const SIZES: Readonly<Record<string, number>> = {
  bool: 1,
  u8: 1,
  s8: 1,
  u16: 2,
  s16: 2,
  u32: 4,
  s32: 4,
  f32: 4,
  char: 4,
  u64: 8,
  s64: 8,
  f64: 8,
}

function flagsSize(count: number): number {
  return count <= 8 ? 1 : count <= 16 ? 2 : 4
}

/** `alignment`. */
function alignment(type: WitType): number {
  const parts = casesOf(type) ?? fieldsOf(type)
  if (parts !== null) {
    const own = casesOf(type) === null ? 1 : discriminantSize(parts.length)
    return Math.max(own, ...parts.map((part) => (part === null ? 1 : alignment(part))))
  }
  if (type.kind === 'flags') return flagsSize(type.labels.length)
  return SIZES[type.kind] ?? 4
}

/** `elem_size`. */
function elementSize(type: WitType): number {
  const fields = fieldsOf(type)
  if (fields !== null) {
    let size = 0
    for (const field of fields) size = alignUp(size, alignment(field)) + elementSize(field)
    return alignUp(size, alignment(type))
  }
  const cases = casesOf(type)
  if (cases !== null) {
    const payload = Math.max(0, ...cases.map((item) => (item === null ? 0 : elementSize(item))))
    return alignUp(payloadAt(cases) + payload, alignment(type))
  }
  if (type.kind === 'flags') return flagsSize(type.labels.length)
  return SIZES[type.kind] ?? 8
}

function payloadAt(cases: readonly (WitType | null)[]): number {
  const most = Math.max(1, ...cases.map((item) => (item === null ? 1 : alignment(item))))
  return alignUp(discriminantSize(cases.length), most)
}

/** `flatten_type`. */
export function flattened(type: WitType): Core[] {
  const fields = fieldsOf(type)
  if (fields !== null) return fields.flatMap(flattened)
  const cases = casesOf(type)
  if (cases !== null) {
    const flat: Core[] = []
    for (const item of cases)
      for (const [index, core] of (item === null ? [] : flattened(item)).entries())
        flat[index] = join(flat[index] ?? core, core)
    return ['i32', ...flat]
  }
  if (type.kind === 'string' || type.kind === 'list') return ['i32', 'i32']
  if (type.kind === 'u64' || type.kind === 's64') return ['i64']
  return type.kind === 'f32' || type.kind === 'f64' ? [type.kind] : ['i32']
}

function join(a: Core, b: Core): Core {
  if (a === b) return a
  return [a, b].every((core) => core === 'i32' || core === 'f32') ? 'i32' : 'i64'
}

/** True where a core value of some case is not of the type that stands in its place. */
export function coerces(type: WitType): boolean {
  const parts = casesOf(type) ?? fieldsOf(type) ?? []
  const [, ...joined] = casesOf(type) === null ? [] : flattened(type)
  return parts.some((part) => {
    if (part === null) return false
    const differs = joined.length > 0 && flattened(part).some((core, at) => core !== joined[at])
    return differs || coerces(part)
  })
}

const floats = new DataView(new ArrayBuffer(8))

function float(bits: bigint, size: 4 | 8): number {
  floats.setBigUint64(0, bits, true)
  const value = size === 4 ? floats.getFloat32(0, true) : floats.getFloat64(0, true)
  return Number.isNaN(value) ? Number.NaN : value
}

/** What `bits` mean for a type of one core value: `lift_flat_signed`, `convert_int_to_bool`, ... */
function scalar(type: WitType, bits: bigint): WitValue {
  const signed = (width: number): number => Number(BigInt.asIntN(width, bits))
  const unsigned = (width: number): number => Number(BigInt.asUintN(width, bits))
  switch (type.kind) {
    case 'bool':
      return unsigned(32) !== 0
    case 'u8':
    case 'u16':
    case 'u32':
      return unsigned(Number(type.kind.slice(1)))
    case 's8':
    case 's16':
    case 's32':
      return signed(Number(type.kind.slice(1)))
    case 'u64':
      return BigInt.asUintN(64, bits)
    case 's64':
      return BigInt.asIntN(64, bits)
    case 'f32':
      return float(bits, 4)
    case 'f64':
      return float(bits, 8)
    case 'char': {
      const code = unsigned(32)
      trapIf(code >= 0x11_0000 || (code >= 0xd800 && code <= 0xdfff))
      return String.fromCodePoint(code)
    }
    case 'flags':
      return Object.fromEntries(
        type.labels.map((label, at) => [camelCase(label), ((bits >> BigInt(at)) & 1n) === 1n]),
      )
    default:
      throw new Error(`${type.kind} is not of one core value`)
  }
}

/** The value of a case, in the form of wit.ts. */
function caseValue(type: WitType, index: number, payload: WitValue): WitValue {
  const wrap = (tag: string, item: WitType | null): WitValue =>
    item === null ? { tag } : { tag, val: payload }
  switch (type.kind) {
    case 'enum':
      return type.cases[index]
    case 'option':
      if (type.element.kind !== 'option') return index === 0 ? undefined : payload
      return index === 0 ? { tag: 'none' } : { tag: 'some', val: payload }
    case 'result':
      return index === 0 ? wrap('ok', type.ok) : wrap('err', type.err)
    case 'variant': {
      const item = type.cases[index]
      return wrap(item?.name ?? '', item?.type ?? null)
    }
    default:
      throw new Error(`${type.kind} has no cases`)
  }
}

function fieldsValue(type: WitType, values: WitValue[]): WitValue {
  if (type.kind !== 'record') return values
  return Object.fromEntries(
    type.fields.map((field, at) => [camelCase(field.name), values[at]] as const),
  )
}

/** Lifting out of one memory. */
export class AbiModel {
  readonly #memory: Buffer
  #itemCount = 0

  constructor(memory: Uint8Array) {
    this.#memory = Buffer.from(memory)
  }

  #bits(at: number, size: number): bigint {
    let bits = 0n
    for (let index = size - 1; index >= 0; index--)
      bits = (bits << 8n) | BigInt(this.#memory[at + index] ?? 0)
    return bits
  }

  #word(at: number): number {
    return Number(this.#bits(at, 4))
  }

  /** `load` at a place that is checked as a result's is. */
  loadChecked(type: WitType, at: number): WitValue {
    trapIf(at % alignment(type) !== 0 || at + elementSize(type) > this.#memory.length)
    return this.#load(type, at)
  }

  #load(type: WitType, at: number): WitValue {
    const fields = fieldsOf(type)
    if (fields !== null) {
      let offset = at
      const values = fields.map((field) => {
        offset = alignUp(offset, alignment(field))
        const value = this.#load(field, offset)
        offset += elementSize(field)
        return value
      })
      return fieldsValue(type, values)
    }
    const cases = casesOf(type)
    if (cases !== null) {
      const index = Number(this.#bits(at, discriminantSize(cases.length)))
      trapIf(index >= cases.length)
      const item = cases[index] ?? null
      const payload = item === null ? undefined : this.#load(item, at + payloadAt(cases))
      return caseValue(type, index, payload)
    }
    if (type.kind === 'string') return this.#string(this.#word(at), this.#word(at + 4))
    if (type.kind === 'list') return this.#list(type.element, this.#word(at), this.#word(at + 4))
    return scalar(type, this.#bits(at, elementSize(type)))
  }

  #string(at: number, size: number): string {
    trapIf(at + size > this.#memory.length)
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      return decoder.decode(this.#memory.subarray(at, at + size))
    } catch {
      throw new ModelTrap()
    }
  }

  #list(element: WitType, at: number, length: number): WitValue {
    const size = elementSize(element)
    trapIf(at % alignment(element) !== 0 || at + length * size > this.#memory.length)
    this.#itemCount += length
    if (this.#itemCount > ITEM_COUNT_MAX) throw new ModelTooLarge()
    const items = Array.from({ length }, (_, index) => this.#load(element, at + index * size))
    return listValue(element, items)
  }

  /** `lift_flat` of `type` from the front of `values`, which are used up. */
  liftFlat(type: WitType, values: CoreBits[]): WitValue {
    const fields = fieldsOf(type)
    if (fields !== null)
      return fieldsValue(
        type,
        fields.map((field) => this.liftFlat(field, values)),
      )
    const cases = casesOf(type)
    if (cases !== null) return this.#variant(type, cases, values)
    const next = (): bigint => values.shift()?.bits ?? 0n
    const word = (): number => Number(BigInt.asUintN(32, next()))
    if (type.kind === 'string') return this.#string(word(), word())
    if (type.kind === 'list') return this.#list(type.element, word(), word())
    return scalar(type, next())
  }

  /** `lift_flat_variant`: a case reads its core types out of the joined ones, by their low bits. */
  #variant(type: WitType, cases: readonly (WitType | null)[], values: CoreBits[]): WitValue {
    const joined = flattened(type)
    const own = values.splice(0, joined.length)
    const index = Number(BigInt.asUintN(32, own.shift()?.bits ?? 0n))
    trapIf(index >= cases.length)
    const item = cases[index] ?? null
    if (item === null) return caseValue(type, index, undefined)
    const coerced = flattened(item).map((core, at): CoreBits => {
      const bits = own[at]?.bits ?? 0n
      return { type: core, bits: core.endsWith('32') ? BigInt.asUintN(32, bits) : bits }
    })
    return caseValue(type, index, this.liftFlat(item, coerced))
  }
}
