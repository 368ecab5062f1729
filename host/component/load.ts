/**
 * Load: bytes become a component, ready to be instantiated any number of times.
 *
 * Owns: the order of the phases: decode, link, instrument, compile, plan. Does not own: any of them.
 *
 * Source: design of the component boundary in docs/architecture.md; Component Model Binary.md.
 */
import type { Component } from './component.ts'
import { decodeComponent } from './decode.ts'
import { instantiate } from './instantiate.ts'
import { type InstrumentedModule, instrument } from './instrument.ts'
import { Linker } from './link.ts'
import { planComponent } from './plan.ts'
import { formatError } from './refuse.ts'

/**
 * Reads, checks and compiles a component binary. The bytes may change once this has been called.
 * @throws ERR_COMPONENT_FORMAT  the bytes are not a valid component; says what is wrong and at which byte.
 * @throws ERR_COMPONENT_FEATURE the component uses a feature that this host lacks; names it.
 */
export async function loadComponent(bytes: Uint8Array): Promise<Component> {
  const link = new Linker(bytes).link(decodeComponent(bytes))
  const instrumented = link.modules.map(({ core }) => instrument(bytes, core))
  const modules = await Promise.all(instrumented.map(compile))
  const plan = planComponent(link, instrumented, modules)
  return {
    imports: plan.imports,
    exports: plan.exports.map(({ target }) => target),
    hidden: instrumented.flatMap(({ hidden }) => hidden),
    initialSizeBytes: plan.initialSizeBytes,
    instantiate: (resolve, limits = null) => instantiate(plan, resolve, limits),
  }
}

async function compile({ bytes }: InstrumentedModule): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw formatError(`a core module does not compile: ${reason}`)
  }
}
