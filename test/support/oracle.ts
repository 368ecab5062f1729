// The oracle: the same component through jco's glue. A result in return position is thrown or unwrapped
// by jco; `oracleCall` brings it back to { tag, val }.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { transpileBytes } from '@bytecodealliance/jco-transpile'
import { camelCase } from '../../host/component/wit/labels.ts'
import type { WitFunction, WitValue } from '../../host/component/wit/wit.ts'

type JsFunction = (...args: unknown[]) => unknown
type Exports = Record<string, Record<string, JsFunction> | JsFunction>

export interface Oracle {
  instantiate(imports: Record<string, unknown>): Exports
}

export async function createOracle(component: Uint8Array): Promise<Oracle> {
  const { files } = await transpileBytes(component, {
    name: 'oracle',
    instantiation: 'sync',
    wasiShim: false,
    emitTypescriptDeclarations: false,
    asyncMode: 'sync',
    noComponentErrorWrapping: false,
  })
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loom-oracle-'))
  for (const [name, bytes] of Object.entries(files))
    if (name.endsWith('.js')) writeFileSync(path.join(folder, name.replace(/\.js$/, '.mjs')), bytes)
  const module = await import(pathToFileURL(path.join(folder, 'oracle.mjs')).href)
  rmSync(folder, { recursive: true })
  const modules = new Map(
    Object.entries(files)
      .filter(([name]) => name.endsWith('.wasm'))
      .map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]),
  )
  return {
    instantiate: (imports) =>
      module.instantiate((name: string) => modules.get(name), imports) as Exports,
  }
}

/** jco throws the payload of `err` as `error.payload`, and returns that of `ok` bare. */
export function oracleCall(
  exports: Exports,
  interfaceName: string,
  func: WitFunction,
  args: readonly WitValue[],
): unknown {
  const group = interfaceName === '' ? exports : exports[interfaceName]
  const target = (group as Record<string, JsFunction>)[camelCase(func.name)]
  if (target === undefined) throw new Error(`the oracle has no ${interfaceName}#${func.name}`)
  if (func.result?.kind !== 'result') return target(...args)
  try {
    const val = target(...args)
    return func.result.ok === null ? { tag: 'ok' } : { tag: 'ok', val }
  } catch (error) {
    if (!(error instanceof Error && 'payload' in error)) throw error
    return func.result.err === null ? { tag: 'err' } : { tag: 'err', val: error.payload }
  }
}

/** A host function as jco wants it: a result is returned bare or thrown. */
export function oracleHost(func: WitFunction, host: (...args: WitValue[]) => WitValue): JsFunction {
  return (...args) => {
    const value = host(...(args as WitValue[]))
    if (func.result?.kind !== 'result') return value
    const { tag, val } = value as { tag: string; val: WitValue }
    if (tag === 'ok') return val
    const error = Object.assign(new Error('err'), { payload: val })
    throw error
  }
}

function some(value: WitValue, found: (text: string) => boolean): boolean {
  if (typeof value !== 'object') return typeof value === 'string' && found(value)
  return !ArrayBuffer.isView(value) && Object.values(value).some((part) => some(part, found))
}

/** jco skips realloc for an empty string, whose pointer then differs. */
export const hasEmptyString = (value: WitValue) => some(value, (text) => text === '')

/** jco drops a byte order mark at the start of a string. */
export const hasByteOrderMark = (value: WitValue) => some(value, (text) => text.includes('\ufeff'))
