// The committed components (test/fixtures/components), registered on a runtime.
import { readFileSync } from 'node:fs'
import type { ProvidedInterface, Runtime, RuntimeOptions } from '../../host/index.ts'
import { openHost } from './host.ts'

export function componentBytes(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/components/${name}.wasm`, import.meta.url))
}

/** A runtime with Counter, Faulty and Quoter; `quotes` answers `acme:pricing/quotes`. */
export async function openComponentHost(
  options: Partial<RuntimeOptions> = {},
  quotes: ProvidedInterface = { latest: () => 10 },
): Promise<Runtime> {
  const runtime = await openHost(options)
  runtime.provide('acme:pricing/quotes', quotes)
  for (const name of ['Counter', 'Faulty', 'Quoter']) {
    const component = componentBytes(name.toLowerCase())
    await runtime.registerActorType(name, { type: 'wasm', component })
  }
  return runtime
}
