/**
 * JSON, out: one writer per WIT type. The mapping is docs/wit-json.md.
 *
 * Invariant JW1. Writers get canonical values (wit.ts) only and never fail.
 */
import { camelCase } from '../wit/labels.ts'
import type { JsonValue, WitType, WitValue } from '../wit/wit.ts'

export type ToJson = (value: WitValue) => JsonValue

type Keyed = { readonly [key: string]: WitValue }

const known = new WeakMap<WitType, ToJson>()

export function toJson(type: WitType): ToJson {
  let write = known.get(type)
  if (write === undefined) {
    write = make(type)
    known.set(type, write)
  }
  return write
}

const asIs: ToJson = (value) => value as JsonValue

function bigToJson(value: WitValue): JsonValue {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

/** JSON has no words for these four. */
function floatToJson(value: WitValue): JsonValue {
  const number = value as number
  if (Object.is(number, -0)) return '-0'
  return Number.isFinite(number) ? number : String(number)
}

function make(type: WitType): ToJson {
  switch (type.kind) {
    case 'u64':
    case 's64':
      return bigToJson
    case 'f32':
    case 'f64':
      return floatToJson
    case 'list':
      return makeList(type.element)
    case 'record': {
      const fields = type.fields.map(
        (field) => [camelCase(field.name), toJson(field.type)] as const,
      )
      return (value) =>
        Object.fromEntries(fields.map(([key, write]) => [key, write((value as Keyed)[key])]))
    }
    case 'tuple': {
      const writes = type.elements.map(toJson)
      return (value) => writes.map((write, index) => write((value as readonly WitValue[])[index]))
    }
    case 'variant':
      return makeTagged(type.cases)
    case 'result':
      return makeTagged([
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ])
    case 'option': {
      if (type.element.kind === 'option')
        return makeTagged([
          { name: 'none', type: null },
          { name: 'some', type: type.element },
        ])
      const write = toJson(type.element)
      return (value) => (value === undefined ? null : write(value))
    }
    case 'flags': {
      const labels = type.labels.map((label) => [label, camelCase(label)] as const)
      return (value) =>
        labels.filter(([, key]) => (value as Keyed)[key] === true).map(([label]) => label)
    }
    default:
      return asIs
  }
}

function makeList(element: WitType): ToJson {
  if (element.kind === 'u8')
    return (value) => {
      const { buffer, byteOffset, byteLength } = value as Uint8Array
      return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
    }
  const write = toJson(element)
  return (value) => {
    const items: JsonValue[] = []
    for (const item of value as readonly WitValue[]) items.push(write(item))
    return items
  }
}

function makeTagged(cases: readonly { name: string; type: WitType | null }[]): ToJson {
  const writes = new Map(cases.map(({ name, type }) => [name, type === null ? null : toJson(type)]))
  return (value) => {
    const { tag, val } = value as Keyed
    const write = writes.get(tag as string)
    return write ? { tag: tag as string, val: write(val) } : { tag: tag as string }
  }
}
