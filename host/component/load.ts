/**
 * Load: bytes become a component, ready to be instantiated any number of times.
 *
 * Owns: the order of the phases: read, meter, elide, instrument, compile, plan. Does not own: any of them.
 *
 * Source: design of the component boundary in docs/architecture.md; Component Model Binary.md.
 */

import type { Component } from './component.ts'
import { checkWork, compileModule } from './core/compile.ts'
import { type MeteredCode, mayThrow, meterModule } from './core/fuel.ts'
import { checkInstanceWork, partsOf } from './core/instance-work.ts'
import { instrumentAll } from './core/instrument.ts'
import { instantiate } from './instance/instantiate.ts'
import { type ParkingPlan, planParking } from './instance/parking.ts'
import { type ComponentPlan, modulesOf, planComponent } from './instance/plan.ts'
import { elideShims } from './link/elide.ts'
import { memoryMaxima } from './link/memory-maxima.ts'
import { readComponent } from './read.ts'

/**
 * Reads, checks and compiles a component binary. The bytes may change once this has been called.
 * @throws ERR_COMPONENT_FORMAT  the bytes are not a valid component; says what is wrong and at which byte.
 * @throws ERR_COMPONENT_FEATURE the component uses a feature that this host lacks; names it.
 */
export async function loadComponent(bytes: Uint8Array): Promise<Component> {
  const { link, unused } = readComponent(bytes)
  const cores = link.modules.map(({ core }) => core)
  const parts = cores.map((core) => partsOf(bytes, core))
  const around = {
    'component instances': link.parents.length,
    'adapted functions': link.lowers.length + link.builtins.length,
  }
  checkInstanceWork([around, ...modulesOf(link.steps).map((index) => parts[index] ?? {})])
  const throws = cores.some(mayThrow)
  const maxima = memoryMaxima(link)
  const metered: MeteredCode[] = []
  for (const [index, core] of cores.entries()) {
    metered.push(meterModule(bytes, core, throws, maxima[index]))
    // After each, so that what is too large is never there as a whole.
    checkWork(metered)
  }
  const elided = elideShims(bytes, link, metered)
  const instrumented = instrumentAll(bytes, cores, metered, modulesOf(elided.steps))
  const modules = await Promise.all(instrumented.map((module) => compileModule(module.bytes)))
  // What no instance needs is validated as well, and then forgotten.
  for (const { start, end } of unused) await compileModule(bytes.subarray(start, end))
  const plan = planComponent(link, elided, instrumented, modules)
  return componentOf(plan, null)
}

function componentOf(plan: ComponentPlan, parking: ParkingPlan | null): Component {
  const component: Component = {
    imports: plan.imports,
    exports: plan.exports.map(({ target }) => target),
    hidden: plan.hidden,
    initialSizeBytes: plan.initialSizeBytes,
    instantiate: (resolve, limits = null) => instantiate(plan, resolve, limits, parking),
    parking: (waits) => {
      const planned = planParking(plan, waits)
      return planned === null ? component : componentOf(plan, planned)
    },
  }
  return component
}
