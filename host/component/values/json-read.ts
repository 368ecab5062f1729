/**
 * JSON, in: one reader per WIT type. The mapping is docs/wit-json.md.
 *
 * Invariants:
 *   JR1. A reader returns a canonical value (wit.ts) or throws Mismatch with the path kept by check.ts.
 *   JR2. Where JSON and the JavaScript form agree, the reader is the checker of check.ts.
 */

import { camelCase } from '../wit/labels.ts'
import type { WitType, WitValue } from '../wit/wit.ts'
import { checkerOf, descend, describe, Mismatch, mismatch, quoteAll } from './check.ts'

export type FromJson = (json: unknown) => WitValue

const known = new WeakMap<WitType, FromJson>()

export function fromJson(type: WitType): FromJson {
  let read = known.get(type)
  if (read === undefined) {
    read = make(type)
    known.set(type, read)
  }
  return read
}

const DECIMAL = /^-?(0|[1-9][0-9]*)$/
const DECIMAL_LENGTH_MAX = 20

const FLOAT_WORDS = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

function make(type: WitType): FromJson {
  switch (type.kind) {
    case 'u64':
    case 's64': {
      const check = checkerOf(type)
      return (json) => {
        if (typeof json !== 'string')
          return typeof json === 'bigint' ? wrongBig(type, json) : check(json)
        if (json.length > DECIMAL_LENGTH_MAX || !DECIMAL.test(json)) return wrongBig(type, json)
        return check(BigInt(json))
      }
    }
    case 'f32':
    case 'f64': {
      const check = checkerOf(type)
      return (json) => check(typeof json === 'string' ? (FLOAT_WORDS.get(json) ?? json) : json)
    }
    case 'list':
      return makeList(type)
    case 'record':
      return makeRecord(type.fields)
    case 'tuple': {
      const reads = type.elements.map(fromJson)
      return (json) => {
        if (!Array.isArray(json) || json.length !== reads.length)
          return mismatch(`an array of ${reads.length}`, json)
        return reads.map((read, index) => descend(index, read, json[index]))
      }
    }
    case 'variant':
      return makeTagged('variant', type.cases)
    case 'result':
      return makeTagged('result', [
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ])
    case 'option': {
      if (type.element.kind === 'option')
        return makeTagged('option of an option', [
          { name: 'none', type: null },
          { name: 'some', type: type.element },
        ])
      const read = fromJson(type.element)
      return (json) => (json === null || json === undefined ? undefined : read(json))
    }
    case 'flags':
      return makeFlags(type.labels)
    case 'own':
    case 'borrow': {
      const { name } = type.resource
      return (json) => mismatch(`a handle of a ${name}, which JSON cannot hold`, json)
    }
    default:
      return checkerOf(type)
  }
}

function wrongBig(type: WitType, json: unknown): never {
  return mismatch(`${type.kind} as a number or a decimal string`, json)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

function makeList(type: Extract<WitType, { kind: 'list' }>): FromJson {
  const { element } = type
  const check = checkerOf(type)
  const read = fromJson(element)
  const expected = element.kind === 'u8' ? 'a base64 string or an array of u8' : 'an array'
  return (json) => {
    if (element.kind === 'u8' && typeof json === 'string') {
      if (!BASE64.test(json)) return mismatch(expected, json)
      return check(Uint8Array.from(Buffer.from(json, 'base64')))
    }
    if (!Array.isArray(json)) return mismatch(expected, json)
    // The checker turns lists of numbers into typed arrays, and bounds the size of any list.
    return check(json.map((item, index) => descend(index, read, item)))
  }
}

function asObject(json: unknown, expected: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return mismatch(expected, json)
  return json as Record<string, unknown>
}

/** Keys in camelCase by what they may be written as: so, or as in the WIT text. */
type Spellings = ReadonlyMap<string, string>

function spellingsOf(labels: readonly string[]): Spellings {
  const spellings = new Map<string, string>()
  for (const label of labels) {
    const key = camelCase(label)
    spellings.set(label, key)
    spellings.set(key, key)
  }
  return spellings
}

/** The values of an object by their keys; a key given in both spellings is refused. */
function pick(object: Record<string, unknown>, spellings: Spellings): Map<string, unknown> {
  const picked = new Map<string, unknown>()
  for (const name of Object.keys(object)) {
    const key = spellings.get(name)
    if (key === undefined) {
      const known = `the keys ${quoteAll([...new Set(spellings.values())])}`
      throw new Mismatch(`only ${known}`, `the key ${describe(name)}`)
    }
    if (picked.has(key)) throw new Mismatch('each key once', `the key ${describe(name)} twice`)
    picked.set(key, object[name])
  }
  return picked
}

function makeRecord(fields: readonly { name: string; type: WitType }[]): FromJson {
  const members = fields.map(({ name, type }) => ({
    key: camelCase(name),
    read: fromJson(type),
    isOption: type.kind === 'option',
    nothing: absent(type),
  }))
  const spellings = spellingsOf(fields.map(({ name }) => name))
  const expected = `an object with the keys ${quoteAll(members.map(({ key }) => key))}`
  return (json) => {
    const picked = pick(asObject(json, expected), spellings)
    const record: Record<string, WitValue> = {}
    for (const { key, read, isOption, nothing } of members)
      record[key] = descend(
        key,
        (part) => {
          if (part === undefined && !isOption) throw new Mismatch('a value', 'nothing')
          return read(part === undefined ? nothing : part)
        },
        picked.get(key),
      )
    return record
  }
}

/** What stands for an option that is not given: a nested option has no null. */
export function absent(type: WitType): unknown {
  return type.kind === 'option' && type.element.kind === 'option' ? { tag: 'none' } : null
}

function makeTagged(
  what: string,
  cases: readonly { name: string; type: WitType | null }[],
): FromJson {
  const reads = new Map(
    cases.map(({ name, type }) => [name, type === null ? null : fromJson(type)]),
  )
  const expected = `a ${what} {"tag", "val"}`
  const tags = `one of the tags ${quoteAll(cases.map(({ name }) => name))}`
  return (json) => {
    const object = asObject(json, expected)
    const { tag, val } = object
    const read = typeof tag === 'string' ? reads.get(tag) : undefined
    if (read === undefined) return descend('tag', (part) => mismatch(tags, part), tag)
    for (const key of Object.keys(object))
      if (key !== 'tag' && key !== 'val')
        throw new Mismatch('only the keys "tag", "val"', `the key ${describe(key)}`)
    if (read !== null) return { tag: tag as string, val: descend('val', read, val) }
    if (val !== undefined && val !== null) descend('val', (part) => mismatch('nothing', part), val)
    return { tag: tag as string }
  }
}

function makeFlags(labels: readonly string[]): FromJson {
  const spellings = spellingsOf(labels)
  const expected = `an array of flags ${quoteAll(labels)}, or an object of them`
  return (json) => {
    const flags: Record<string, boolean> = {}
    for (const key of spellings.values()) flags[key] = false
    if (Array.isArray(json)) {
      for (const [index, name] of json.entries()) {
        const key = typeof name === 'string' ? spellings.get(name) : undefined
        if (key === undefined)
          return descend(index, (part) => mismatch(`one of ${quoteAll(labels)}`, part), name)
        flags[key] = true
      }
      return flags
    }
    for (const [key, value] of pick(asObject(json, expected), spellings)) {
      if (typeof value !== 'boolean') return descend(key, (part) => mismatch('bool', part), value)
      flags[key] = value
    }
    return flags
  }
}
