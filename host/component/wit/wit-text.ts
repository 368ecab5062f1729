/**
 * WIT types as WIT text, for messages, `loom types` and `loom inspect`.
 */
import type { WitFunction, WitType } from './wit.ts'

const KEYWORDS = new Set(
  (
    'as async bool borrow char constructor enum export f32 f64 flags from func future import include interface list ' +
    'option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use ' +
    'variant with world error-context map'
  ).split(' '),
)

/** A name as WIT text has it: what is a keyword too gets a percent sign. */
export function witName(name: string): string {
  return KEYWORDS.has(name) ? `%${name}` : name
}

function optional(type: WitType | null): string {
  return type === null ? '_' : formatType(type)
}

function formatResult(ok: WitType | null, err: WitType | null): string {
  if (err === null) return ok === null ? 'result' : `result<${formatType(ok)}>`
  return `result<${optional(ok)}, ${formatType(err)}>`
}

/** As it would stand in WIT text; an unnamed record, variant, enum or flags by its kind. */
export function formatType(type: WitType): string {
  switch (type.kind) {
    case 'list':
      return `list<${formatType(type.element)}>`
    case 'option':
      return `option<${formatType(type.element)}>`
    case 'tuple':
      return `tuple<${type.elements.map(formatType).join(', ')}>`
    case 'result':
      return formatResult(type.ok, type.err)
    case 'record':
    case 'variant':
    case 'enum':
    case 'flags':
      return type.name === null ? type.kind : witName(type.name)
    case 'own':
      return witName(type.resource.name)
    case 'borrow':
      return `borrow<${witName(type.resource.name)}>`
    default:
      return type.kind
  }
}

/** `func(by: u32) -> u64` */
export function formatFunction(func: WitFunction): string {
  const params = func.params
    .map(({ name, type }) => `${witName(name)}: ${formatType(type)}`)
    .join(', ')
  const result = func.result === null ? '' : ` -> ${formatType(func.result)}`
  return `func(${params})${result}`
}
