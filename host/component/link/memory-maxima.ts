/**
 * Memory maxima: how far the memories can grow that a core module imports.
 *
 * An import may ask for less than it is given: the memory's own maximum stands where it is defined. Code that grows it
 * must know that one (core/fuel.ts FU5): what the engine answers does not tell a maximum from a host without memory.
 *
 * Owns: finding the definition of each imported memory. Does not own: what code does with it (core/fuel-write.ts).
 */
import type { CoreModule } from '../core/module.ts'
import type { LinkPlan, LinkStep } from './link.ts'

/** Pages; null where a module's instances are given memories of different maxima. */
export type MemoryMaxima = readonly (number | null)[]

type Instantiation = Extract<LinkStep, { kind: 'instantiate' }>

/** By module, then by imported memory. Instances are made in order: what one is given was there before. */
export function memoryMaxima({ modules, steps }: LinkPlan): readonly MemoryMaxima[] {
  const exported = modules.map(({ core }) => memoryExports(core))
  const maxima = modules.map<(number | null)[]>(() => [])
  const instances: { readonly module: number; readonly given: readonly number[] }[] = []
  for (const step of steps) {
    if (step.kind !== 'instantiate') continue
    const given = memoriesGiven(step, modules[step.module]?.core, ({ instance, name }) => {
      const from = instances[instance]
      const core = modules[from?.module ?? -1]?.core
      const index = exported[from?.module ?? -1]?.get(name) ?? -1
      return from?.given[index] ?? core?.memories[index]?.pagesMax ?? 0
    })
    instances.push({ module: step.module, given })
    const known = maxima[step.module]
    for (const [index, pages] of given.entries())
      if (known !== undefined)
        known[index] = known[index] === undefined || known[index] === pages ? pages : null
  }
  return maxima
}

function memoryExports(core: CoreModule): ReadonlyMap<string, number> {
  const names = new Map<string, number>()
  for (const { name, kind, index } of core.exports) if (kind === 'memory') names.set(name, index)
  return names
}

interface ExportedMemory {
  readonly instance: number
  readonly name: string
}

function memoriesGiven(
  { imports }: Instantiation,
  core: CoreModule | undefined,
  pagesMax: (source: ExportedMemory) => number,
): readonly number[] {
  return imports.flatMap(({ source }, at) =>
    core?.imports[at]?.kind === 'memory' && source.kind === 'export' ? [pagesMax(source)] : [],
  )
}
