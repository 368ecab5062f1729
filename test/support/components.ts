// The committed components (test/fixtures/components), registered on a runtime.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { ProvidedInterface, Runtime, RuntimeOptions } from '../../host/index.ts'
import { openHost } from './host.ts'

/** A committed component by its name, or another one by its absolute path. */
export function componentBytes(name: string): Uint8Array {
  if (path.isAbsolute(name)) return readFileSync(name)
  return readFileSync(new URL(`../fixtures/components/${name}.wasm`, import.meta.url))
}

/** A runtime with one type of a committed component. */
export async function openGuest(
  type: string,
  name: string,
  options: Partial<RuntimeOptions> = {},
): Promise<Runtime> {
  const runtime = await openHost(options)
  await runtime.registerActorType(type, { type: 'wasm', component: componentBytes(name) })
  return runtime
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
