// A component that returns, and passes on, whatever bytes it is given, as values of random types. For each type:
//   back<i>: func(bytes: list<u8>) -> T   its result area, or its core result, is made of the bytes
//   pass<i>: func(bytes: list<u8>)        its import take<i>: func(p: T) gets core arguments made of the bytes
// So lifting meets discriminants, pointers, lengths and texts that no compiler would make.
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { flattenFunc } from '../../host/component/abi/signature.ts'
import type { WitType } from '../../host/component/wit/wit.ts'
import { renderTypes } from './probe.ts'

export const RAW_API = 'test:raw/api'
export const RAW_HOST = 'test:raw/host'

/** Where the bytes come to lie. */
export const RAW_BYTES = 4_096
/** From here on there is text, well-formed and not. */
export const RAW_TEXT = 2_048

function renderWit(types: readonly WitType[]): string {
  const { definitions, names, references } = renderTypes(types)
  const use = names.length === 0 ? '' : `use types.{${names.join(', ')}};`
  const host = references.map((type, index) => `take${index}: func(p: ${type});`)
  const api = references.map(
    (type, index) =>
      `back${index}: func(bytes: list<u8>) -> ${type}; pass${index}: func(bytes: list<u8>);`,
  )
  return `package test:raw;
interface types { ${definitions.join('\n')} }
interface host { ${use} ${host.join('\n')} }
interface api { ${use} ${api.join('\n')} }
world raw { import host; export api; }`
}

function renderFunctions(type: WitType, index: number): { imports: string; functions: string } {
  const lifted = flattenFunc({ params: [], result: type }, 'lift')
  const lowered = flattenFunc({ params: [{ name: 'p', type }], result: null }, 'lower')
  const [result = 'i32'] = lifted.results
  const back =
    lifted.flatResult === null ? '(local.get 0)' : `(${result}.load align=1 (local.get 0))`
  const args =
    lowered.flatParams === null
      ? '(local.get 0)'
      : lowered.params
          .map((core, slot) => `(${core}.load offset=${8 * slot} align=1 (local.get 0))`)
          .join(' ')
  return {
    imports: `(import "${RAW_HOST}" "take${index}" (func $take${index} (param ${lowered.params.join(' ')})))`,
    functions: `(func (export "${RAW_API}#back${index}") (param i32 i32) (result ${result}) ${back})
      (func (export "${RAW_API}#pass${index}") (param i32 i32) (call $take${index} ${args}))`,
  }
}

/** Memory as it is while `bytes` are lifted. */
export function rawMemory(bytes: Uint8Array): Uint8Array {
  const memory = Buffer.alloc(65_536)
  const text = TEXT.replace(/\\([0-9a-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  memory.write(text, RAW_TEXT, 'latin1')
  memory.set(bytes, RAW_BYTES)
  return memory
}

const TEXT = 'plain gr\\c3\\bc\\c3\\9fe \\f0\\9f\\8e\\89 \\ff\\fe \\ed\\a0\\80 \\c3'

export async function buildRaw(types: readonly WitType[]): Promise<Uint8Array> {
  const parts = types.map(renderFunctions)
  const binary = await parse(`(module ${parts.map(({ imports }) => imports).join('\n')}
    (memory (export "memory") 1) (data (i32.const ${RAW_TEXT}) "${TEXT}")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const ${RAW_BYTES}))
    ${parts.map(({ functions }) => functions).join('\n')})`)
  const witSource = renderWit(types)
  return await componentNew(await componentEmbed({ binary, witSource, world: 'raw' }))
}
