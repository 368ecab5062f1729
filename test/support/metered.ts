// Core modules run plain and metered, side by side.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { instrument } from '../../host/component/core/instrument.ts'
import { readCoreModule } from '../../host/component/core/module.ts'

export type Exports = Record<string, (...args: unknown[]) => unknown>

export function meter(binary: Uint8Array): Uint8Array {
  return instrument(binary, readCoreModule(binary, 0, binary.length)).bytes
}

export interface Metered {
  readonly exports: Exports
  fuel: bigint
  readonly room: bigint
}

/** An instance of its own, with `fuel` and `room` to spend. */
export function runMetered(
  module: WebAssembly.Module,
  fuel = 10n ** 12n,
  room = 2n ** 32n,
): Metered {
  const counters = {
    fuel: new WebAssembly.Global({ value: 'i64', mutable: true }, fuel),
    room: new WebAssembly.Global({ value: 'i64', mutable: true }, room),
  }
  const { exports } = new WebAssembly.Instance(module, { 'loom:meter': counters })
  return {
    exports: exports as Exports,
    get fuel() {
      return counters.fuel.value as bigint
    },
    set fuel(value) {
      counters.fuel.value = value
    },
    get room() {
      return counters.room.value as bigint
    },
  }
}

export async function meteredModule(text: string): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(meter(await parse(text)))
}

export async function plainExports(text: string): Promise<Exports> {
  return new WebAssembly.Instance(new WebAssembly.Module(await parse(text))).exports as Exports
}

/** What an action gives: its value, or that it trapped and how. */
export function outcomeOf(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error instanceof WebAssembly.RuntimeError ? `trap: ${error.message}` : error
  }
}
