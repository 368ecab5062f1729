/**
 * One AssemblyScript class, to be called in two ways.
 *
 * Owns: the class; building it as a component, and as a module for `@assemblyscript/loader`, the package that
 * AssemblyScript itself once offered for calling a module with strings and arrays.
 * Does not own: calling it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { instantiateSync } from '@assemblyscript/loader'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { loadCompiler } from '../../guest-sdk/assemblyscript/toolchain.ts'

const CLASS = `@component("bench:yardstick/yardstick@1.0.0")
export class Yardstick {
  private total: u64 = 0;
  private last: string = "";
  increment(by: u32): u64 { return (this.total += by); }
  scale(value: f64, by: f64): f64 { return value * by; }
  label(text: string): string { const label = text + "!"; this.last = label; return label; }
  sum(values: Float64Array): f64 { let sum = 0.0; for (let i = 0; i < values.length; i++) sum += values[i]; return sum; }
  range(count: u32): Uint32Array { const all = new Uint32Array(count); for (let i: u32 = 0; i < count; i++) all[i] = i; return all; }
}
`

/** The loader calls functions, so each method gets one. */
const FUNCTIONS = `import { Yardstick } from "./yardstick";
const it = new Yardstick();
export const float64ArrayId = idof<Float64Array>();
export function increment(by: u32): u64 { return it.increment(by); }
export function scale(value: f64, by: f64): f64 { return it.scale(value, by); }
export function label(text: string): string { return it.label(text); }
export function sum(values: Float64Array): f64 { return it.sum(values); }
export function range(count: u32): Uint32Array { return it.range(count); }
`

/** The class's methods, however they are called. */
export interface Yardstick {
  increment(by: number): bigint
  scale(value: number, by: number): number
  label(text: string): string
  sum(values: Float64Array): number
  range(count: number): Uint32Array
}

interface LoaderExports extends Record<string, unknown> {
  readonly float64ArrayId: { readonly value: number }
  increment(by: number): bigint
  scale(value: number, by: number): number
  label(text: number): number
  sum(values: number): number
  range(count: number): number
}

export interface BuiltYardstick {
  readonly component: Uint8Array
  /** Through the loader, as its manual says: allocate, pin, call, read, unpin. */
  readonly loader: Yardstick
}

export async function buildYardstick(): Promise<BuiltYardstick> {
  const dir = await mkdtemp(path.join(tmpdir(), 'loom-yardstick-'))
  try {
    await writeFile(path.join(dir, 'yardstick.ts'), CLASS)
    await writeFile(path.join(dir, 'functions.ts'), FUNCTIONS)
    const { component } = await buildActor({ dir, entry: 'yardstick.ts', write: false })
    return { component, loader: throughLoader(await compile(dir)) }
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function compile(dir: string): Promise<Uint8Array> {
  const { main, createMemoryStream } = await loadCompiler()
  let binary: Uint8Array | null = null
  const args = ['functions.ts', '--baseDir', dir, '--outFile', 'out.wasm', '-O3', '--exportRuntime']
  const { error } = await main(args, {
    transforms: [],
    readFile: async (name) => readIn(dir, name),
    writeFile: (name, contents) => {
      if (name === 'out.wasm') binary = contents as Uint8Array
    },
    listFiles: () => [],
    stdout: createMemoryStream(),
    stderr: createMemoryStream(),
    reportDiagnostic: ({ message }) => console.error(message),
  })
  if (error || !binary) throw error ?? new Error('nothing was compiled')
  return binary
}

async function readIn(dir: string, name: string): Promise<string | null> {
  const { readFile } = await import('node:fs/promises')
  return readFile(path.resolve(dir, name), 'utf8').catch(() => null)
}

function throughLoader(binary: Uint8Array): Yardstick {
  const { exports } = instantiateSync<LoaderExports>(binary, {})
  const { __newString, __getString, __newArray, __getUint32Array, __pin, __unpin } = exports
  const id = exports.float64ArrayId.value
  return {
    increment: (by) => BigInt.asUintN(64, exports.increment(by)),
    scale: exports.scale,
    label(text) {
      const argument = __pin(__newString(text))
      const result = __getString(exports.label(argument))
      __unpin(argument)
      return result
    },
    sum(values) {
      const argument = __pin(__newArray(id, values))
      const result = exports.sum(argument)
      __unpin(argument)
      return result
    },
    range: (count) => __getUint32Array(exports.range(count)),
  }
}
