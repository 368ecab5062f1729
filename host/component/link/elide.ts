/**
 * Elide: core modules that only pass calls on are linked, not instantiated.
 *
 * Owns: which instantiations of a plan can be left out, and the plan without them.
 * Does not own: the forms of such modules (shim-form.ts), running the plan (instantiate.ts).
 *
 *   as built    shim <- main <- lowered functions (of main's memory) <- fixup: fills the shim's table, starts main
 *   elided      lowered functions (memory comes later) <- main; then main is started
 *
 * Invariants:
 *   ED1. A guest cannot tell: whatever calls a shim's function reaches what stands in its element, and nothing can
 *        call one before the elements are filled, because nothing that is made in between has a start function.
 *   ED2. Instances keep their numbers, and what is left out has no memory and no global: so the state of an
 *        instance, and every image of it, is what it was. Where code changes tables, nothing is left out.
 *   ED3. What differs in anything from the known form is instantiated as it stands.
 *   ED4. What the engine would have refused when it linked the modules is not left out: it still refuses.
 */
import type { MeteredCode } from '../core/fuel.ts'
import type { Signature } from '../core/module.ts'
import {
  type FixupForm,
  isSameSignature,
  readFixup,
  readShim,
  type ShimForm,
} from '../core/shim-form.ts'
import type { LinkPlan, LinkStep } from './link.ts'
import type { CoreSource } from './scope.ts'

type Instantiation = Extract<LinkStep, { kind: 'instantiate' }>

/** An instantiation, and where its step stands. */
interface Made {
  readonly step: Instantiation
  readonly at: number
}

interface Imported {
  readonly source: CoreSource
  readonly signature: Signature | null
}

/** What an elided plan has in place of the elements of a shim. */
interface Pair {
  readonly shim: number
  readonly shimAt: number
  /** By name of the shim's export. */
  readonly targets: ReadonlyMap<string, CoreSource>
}

const START = 8

/** The plan with as few instantiations as can be; `link` itself where none can be left out. */
export function elideShims(
  binary: Uint8Array,
  link: LinkPlan,
  metered: readonly Pick<MeteredCode, 'changesTables'>[],
): LinkPlan {
  if (metered.some(({ changesTables }) => changesTables)) return link
  return new Elision(binary, link).run()
}

class Elision {
  readonly #binary: Uint8Array
  readonly #link: LinkPlan
  /** By number of the core instance. */
  readonly #made: readonly Made[]

  constructor(binary: Uint8Array, link: LinkPlan) {
    this.#binary = binary
    this.#link = link
    this.#made = link.steps.flatMap((step, at) =>
      step.kind === 'instantiate' ? [{ step, at }] : [],
    )
  }

  run(): LinkPlan {
    const steps: LinkStep[] = [...this.#link.steps]
    const pairs: Pair[] = []
    for (const made of this.#made) {
      const form = this.#fixup(made.step)
      if (form === null) continue
      const start = this.#start(made.step, form)
      if (start === undefined) continue
      if (form.table !== null) {
        const pair = this.#pair(made, form)
        if (pair === null) continue
        pairs.push(pair)
        steps[pair.shimAt] = { kind: 'elided' }
      }
      steps[made.at] = { kind: 'elided', ...(start === null ? {} : { start }) }
    }
    const shims = new Set(pairs.map(({ shim }) => shim))
    const startsShim = steps.some(
      (step) =>
        step.kind === 'elided' && step.start?.kind === 'export' && shims.has(step.start.instance),
    )
    if (startsShim) return this.#link
    if (pairs.length === 0 && steps.every((step) => step.kind !== 'elided')) return this.#link
    return this.#relinked(steps, new Map(pairs.map((pair) => [pair.shim, pair])))
  }

  #fixup({ module }: Instantiation): FixupForm | null {
    const core = this.#link.modules[module]?.core
    return core === undefined ? null : readFixup(this.#binary, core)
  }

  /** What a fixup starts, null for nothing; undefined where that is not for certain what it imports. */
  #start(step: Instantiation, { start }: FixupForm): CoreSource | null | undefined {
    if (!this.#fitsImports(step)) return undefined
    if (start === null) return null
    const { source, signature } = this.#imported(step, start) ?? {}
    const isPlain = signature?.params.length === 0 && signature.results.length === 0
    return isPlain && source?.kind === 'export' ? source : undefined
  }

  /** Every import of a function from another instance is of the type that this exports (ED4). */
  #fitsImports(step: Instantiation): boolean {
    const wanted = this.#link.modules[step.module]?.core.imports ?? []
    return wanted.every(({ kind, signature }, index) => {
      const source = step.imports[index]?.source
      if (kind !== 'func' || source?.kind !== 'export') return true
      return isSameSignature(signature, this.#exported(source))
    })
  }

  /** The `index`th function that a module imports. */
  #imported(step: Instantiation, index: number): Imported | undefined {
    const imports = this.#link.modules[step.module]?.core.imports ?? []
    const functions = imports.flatMap(({ kind, signature }, at) => {
      const source = step.imports[at]?.source
      return kind === 'func' && source !== undefined ? [{ source, signature }] : []
    })
    return functions[index]
  }

  #exported({ instance, name }: Extract<CoreSource, { kind: 'export' }>): Signature | null {
    const step = this.#made[instance]?.step
    const item = step === undefined ? undefined : this.#link.modules[step.module]?.exports.get(name)
    return item?.signature ?? null
  }

  /** The shim whose table `fixup` fills, when both can be left out. */
  #pair(fixup: Made, form: FixupForm): Pair | null {
    const core = this.#link.modules[fixup.step.module]?.core
    const tableAt = core?.imports.findIndex(({ kind }) => kind === 'table') ?? -1
    const table = fixup.step.imports[tableAt]?.source
    if (table?.kind !== 'export') return null
    const made = this.#made[table.instance]
    const module = made === undefined ? undefined : this.#link.modules[made.step.module]
    if (made === undefined || module === undefined) return null
    const shim = readShim(this.#binary, module.core)
    if (shim === null || !fits(shim, form)) return null
    const filled = new Map<number, Imported | undefined>()
    for (const { slot, func } of form.elements) filled.set(slot, this.#imported(fixup.step, func))
    const targets = new Map<string, CoreSource>()
    for (const { name, kind, index } of module.core.exports) {
      if (kind !== 'func') continue
      const target = filled.get(shim.slots[index] ?? -1)
      const signature = module.core.functions[index] ?? null
      if (target === undefined || !isSameSignature(target.signature, signature)) return null
      targets.set(name, target.source)
    }
    const pair = { shim: table.instance, shimAt: made.at, targets }
    return this.#isBetween(made.at, fixup) && this.#isReplaceable(pair, fixup) ? pair : null
  }

  /** Nothing that is made between the two runs code (ED1). */
  #isBetween(from: number, fixup: Made): boolean {
    if (from >= fixup.at) return false
    return this.#made.every(({ step, at }) => {
      const sections = this.#link.modules[step.module]?.core.sections ?? []
      return at <= from || at >= fixup.at || !sections.some(({ id }) => id === START)
    })
  }

  /** All uses of the shim can have its targets instead. */
  #isReplaceable(pair: Pair, fixup: Made): boolean {
    const { abis, lifts, resources } = this.#link
    const isOfShim = (source: CoreSource | null): boolean =>
      source?.kind === 'export' && source.instance === pair.shim
    if (abis.some(({ memory, realloc }) => isOfShim(memory) || isOfShim(realloc))) return false
    if (lifts.some(({ core, postReturn }) => isOfShim(core) || isOfShim(postReturn))) return false
    for (const resource of resources) {
      if (resource.kind !== 'guest' || !isOfShim(resource.destructor)) continue
      const target = pair.targets.get((resource.destructor as { name: string }).name)
      if (target?.kind !== 'export') return false
    }
    return this.#made.every(({ step }) => {
      const wanted = this.#link.modules[step.module]?.core.imports ?? []
      return step.imports.every(({ source }, index) => {
        if (source.kind !== 'export' || source.instance !== pair.shim) return true
        const { kind, signature = null } = wanted[index] ?? {}
        if (step === fixup.step || kind !== 'func') return step === fixup.step && kind === 'table'
        const target = pair.targets.get(source.name)
        if (!isSameSignature(signature, this.#exported(source))) return false
        // What the host is called by can be made at any time: nothing that it is bound to has to be there.
        return target?.kind === 'lowered' && this.#link.lowers[target.index]?.target.kind === 'host'
      })
    })
  }

  /** `steps` with the targets of shims in place of their functions, and made where the shims stood. */
  #relinked(steps: readonly LinkStep[], pairs: ReadonlyMap<number, Pair>): LinkPlan {
    const targetOf = (source: CoreSource): CoreSource =>
      (source.kind === 'export'
        ? pairs.get(source.instance)?.targets.get(source.name)
        : undefined) ?? source
    const early = new Map<number, LinkStep[]>()
    const moved = new Set<number>()
    for (const { shimAt, targets } of pairs.values()) {
      const lowered = [...targets.values()].filter((target) => target.kind === 'lowered')
      const indices = lowered.map(({ index }) => index).filter((index) => !moved.has(index))
      for (const index of indices) moved.add(index)
      early.set(
        shimAt,
        [...new Set(indices)].map((index) => ({ kind: 'lower', index })),
      )
    }
    const relinked = steps.flatMap((step, at): LinkStep[] => {
      if (step.kind === 'lower' && moved.has(step.index)) return []
      if (step.kind !== 'instantiate') return [step, ...(early.get(at) ?? [])]
      const imports = step.imports.map((wanted) => ({ ...wanted, source: targetOf(wanted.source) }))
      return [{ ...step, imports }]
    })
    const resources = this.#link.resources.map((planned) =>
      planned.kind === 'host' || planned.destructor === null
        ? planned
        : { ...planned, destructor: targetOf(planned.destructor) },
    )
    return { ...this.#link, steps: relinked, resources }
  }
}

function fits({ table }: ShimForm, { table: wanted, elements }: FixupForm): boolean {
  if (wanted === null || wanted.minimum > table.minimum || table.maximum > wanted.maximum)
    return false
  return elements.every(({ slot }) => slot < table.minimum)
}
