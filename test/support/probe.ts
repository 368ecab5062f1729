// A probe: a component made for a list of random types. For each type T it has
//   via<i>: func(p: T) -> T        passes its core arguments on to the import take<i>, as they are
//   dump<i>: func(p: T) -> list<u8>  returns its core arguments and all memory that was allocated for them
// so the bytes of lowering can be compared with another implementation, and flat lifting and lowering are
// met on both sides. Its core module knows nothing of the types but their core signatures.
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { flattenFunc } from '../../host/component/abi/signature.ts'
import { layoutOf } from '../../host/component/wit/layout.ts'
import type { WitType } from '../../host/component/wit/wit.ts'

export type Encoding = 'utf8' | 'utf16' | 'compact-utf16'

export const PROBE_API = 'test:probe/api'
export const PROBE_HOST = 'test:probe/host'

/** The WIT text of `types`; types that must have names get `t0`, `t1`, ... */
export function renderTypes(types: readonly WitType[]): {
  readonly definitions: string[]
  readonly names: string[]
  readonly references: string[]
} {
  const definitions: string[] = []
  const names: string[] = []
  const define = (body: (name: string) => string): string => {
    const name = `t${names.length}`
    names.push(name)
    definitions.push(body(name))
    return name
  }
  const refer = (type: WitType): string => {
    switch (type.kind) {
      case 'list':
        return `list<${refer(type.element)}>`
      case 'option':
        return `option<${refer(type.element)}>`
      case 'tuple':
        return `tuple<${type.elements.map(refer).join(', ')}>`
      case 'result': {
        const { ok, err } = type
        if (ok === null && err === null) return 'result'
        if (err === null) return `result<${ok === null ? '_' : refer(ok)}>`
        return `result<${ok === null ? '_' : refer(ok)}, ${refer(err)}>`
      }
      case 'record': {
        const fields = type.fields.map((field) => `%${field.name}: ${refer(field.type)}`)
        return define((name) => `record ${name} { ${fields.join(', ')} }`)
      }
      case 'variant': {
        const cases = type.cases.map((item) =>
          item.type === null ? `%${item.name}` : `%${item.name}(${refer(item.type)})`,
        )
        return define((name) => `variant ${name} { ${cases.join(', ')} }`)
      }
      case 'enum':
        return define((name) => `enum ${name} { ${type.cases.join(', ')} }`)
      case 'flags':
        return define((name) => `flags ${name} { ${type.labels.join(', ')} }`)
      default:
        return type.kind
    }
  }
  const references = types.map(refer)
  return { definitions, names, references }
}

function renderWit(types: readonly WitType[]): string {
  const { definitions, names, references } = renderTypes(types)
  const use = names.length === 0 ? '' : `use types.{${names.join(', ')}};`
  const host = references.map((type, index) => `take${index}: func(p: ${type}) -> ${type};`)
  const api = references.map(
    (type, index) =>
      `via${index}: func(p: ${type}) -> ${type}; dump${index}: func(p: ${type}) -> list<u8>;`,
  )
  return `package test:probe;
interface types { ${definitions.join('\n')} }
interface host { ${use} ${host.join('\n')} }
interface api { ${use} reset: func(); ${api.join('\n')} }
world probe { import host; export api; }`
}

const SLOTS = 1024
const RESULT = 64
const HEAP = 2048

function renderCore(types: readonly WitType[]): string {
  const imports: string[] = []
  const functions: string[] = []
  types.forEach((type, index) => {
    const shape = { params: [{ name: 'p', type }], result: type }
    const lifted = flattenFunc(shape, 'lift')
    const lowered = flattenFunc(shape, 'lower')
    const params = lifted.params.length === 0 ? '' : `(param ${lifted.params.join(' ')})`
    const wide = lowered.results.length === 0
    imports.push(
      `(import "${PROBE_HOST}" "take${index}" (func $take${index} (param ${lowered.params.join(' ')}) ${wide ? '' : `(result ${lowered.results.join(' ')})`}))`,
    )
    const gets = lifted.params.map((_, slot) => `(local.get ${slot})`).join(' ')
    // The area for a result that is not flat lies where the allocator would put it.
    const area = `(local.set $r (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const ${layoutOf(type).size})))`
    functions.push(
      wide
        ? `(func (export "${PROBE_API}#via${index}") ${params} (result i32) (local $r i32) ${area} (call $take${index} ${gets} (local.get $r)) (local.get $r))`
        : `(func (export "${PROBE_API}#via${index}") ${params} (result ${lifted.results.join(' ')}) (call $take${index} ${gets}))`,
    )
    const stores = lifted.params
      .map((core, slot) => `(${core}.store (i32.const ${SLOTS + 8 * slot}) (local.get ${slot}))`)
      .join(' ')
    functions.push(
      `(func (export "${PROBE_API}#dump${index}") ${params} (result i32) ${stores}
        (i32.store (i32.const ${RESULT}) (i32.const ${SLOTS}))
        (i32.store (i32.const ${RESULT + 4}) (i32.sub (global.get $heap) (i32.const ${SLOTS})))
        (i32.const ${RESULT}))`,
    )
  })
  return `(module ${imports.join('\n')}
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const ${HEAP}))
  (func $realloc (export "cabi_realloc") (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
    (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                           (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $p) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.shr_u (i32.add (i32.sub (global.get $heap) (i32.mul (memory.size) (i32.const 65536))) (i32.const 65535)) (i32.const 16))))))
    (if (local.get $old) (then (memory.copy (local.get $p) (local.get $old) (local.get $was))))
    (local.get $p))
  (func (export "${PROBE_API}#reset")
    (memory.fill (i32.const ${SLOTS}) (i32.const 0) (i32.sub (global.get $heap) (i32.const ${SLOTS})))
    (global.set $heap (i32.const ${HEAP})))
  ${functions.join('\n')})`
}

export async function buildProbe(
  types: readonly WitType[],
  encoding: Encoding,
): Promise<Uint8Array> {
  const binary = await parse(renderCore(types))
  const embedded = await componentEmbed({
    binary,
    witSource: renderWit(types),
    world: 'probe',
    stringEncoding: encoding,
  })
  return await componentNew(embedded)
}
