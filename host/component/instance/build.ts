/**
 * Build: the steps of a plan are run, and what they made is bound.
 *
 * Owns: the core instances, trampolines and built-ins of one component instance, and its state.
 * Does not own: entry and spoiling (instantiate.ts), plans (plan.ts).
 *
 * Invariants:
 *   BU1. `state` lists every memory and every mutable global of every core instance, in the order in which
 *        they are made, which is the same for all instances of a component; every table of handles, by
 *        number of the component instance; and every table, where code changes tables.
 *   BU2. Core instances have the numbers that the binary gives them, also where some are left out (elide.ts).
 *
 * Source: Explainer.md, "Instance Definitions"; CanonicalABI.md, "Component Instances".
 */
import { LoomError } from '../../base/errors.ts'
import { Abi, type CoreFunction, type Guard } from '../abi/abi.ts'
import { bindBuiltin, type Destroy } from '../abi/builtin.ts'
import type { BoundCall, ParkingCall } from '../abi/call.ts'
import { fail, type Run, toFailure, toHostFailure } from '../abi/failure.ts'
import { HandleTable, handleTables } from '../abi/handles.ts'
import { listOf, NONE } from '../abi/list-of.ts'
import type { CoreTable, HostFunction, ImportResolver } from '../component.ts'
import { ACCESS_NAME, type GlobalAccess, InstanceGlobals } from '../core/global-access.ts'
import { METER_MODULE } from '../core/instrument.ts'
import { Meter } from '../core/meter.ts'
import type { LinkStep, LowerPlan } from '../link/link.ts'
import type { BuiltinPlan, ResourcePlan } from '../link/link-resource.ts'
import type { CoreSource, FuncItem } from '../link/scope.ts'
import { trapError } from '../refuse.ts'
import { toResultError } from '../values/arguments.ts'
import { checkerOf } from '../values/check.ts'
import type { WitValue } from '../wit/wit.ts'
import { coreInstance, startInstance } from './core-instance.ts'
import { FunctionNumbers } from './elements.ts'
import { type ParkingPlan, parksOf, routed } from './parking.ts'
import { type ComponentPlan, qualifiedName } from './plan.ts'

const NOTHING = (): undefined => undefined

/** Of components that know no resources. */
const NO_HANDLES = new HandleTable(0, [])

/** Runs the steps of a plan, and binds what they made. */
export class Builder {
  readonly plan: ComponentPlan
  readonly run: Run = { failure: null, meter: new Meter() }
  readonly state: {
    memories: WebAssembly.Memory[]
    globals: InstanceGlobals
    tables: HandleTable[]
    elements: CoreTable[]
  }
  readonly parking: ParkingPlan | null
  /** 1 while a call is made that may be parked (parking.ts). */
  readonly parks: WebAssembly.Global
  readonly #resolve: ImportResolver
  readonly #guards: readonly Guard[]
  readonly #instances: (WebAssembly.Instance['exports'] | undefined)[]
  readonly #lowered: (CoreFunction | undefined)[]
  readonly #builtins: (CoreFunction | undefined)[]
  readonly #abis: (Abi | undefined)[]
  readonly #hosts: (HostFunction | undefined)[]
  readonly #numbers: FunctionNumbers | null
  #instanceCount = 0
  #memoryCount = 0

  constructor(plan: ComponentPlan, resolve: ImportResolver, parking: ParkingPlan | null) {
    const { link, counts } = plan
    this.plan = plan
    this.parking = parking
    this.parks = parksOf(parking)
    this.state = {
      memories: listOf(counts.memories) as WebAssembly.Memory[],
      globals: new InstanceGlobals(plan.globalTypes, counts.globals),
      tables: handleTables(link.parents.length, link.resources),
      elements: NONE,
    }
    this.#resolve = resolve
    this.#guards = link.parents.map(() => ({ mayLeave: true, entered: false }))
    this.#instances = listOf(counts.instances)
    this.#lowered = listOf(link.lowers.length)
    this.#builtins = listOf(link.builtins.length)
    this.#abis = listOf(link.abis.length)
    this.#hosts = listOf(link.imports.length)
    const { functions } = plan
    this.#numbers = functions === null ? null : new FunctionNumbers(functions, this.#instances)
    if (this.#numbers !== null) this.state.elements = []
  }

  build(): void {
    for (const step of this.plan.link.steps) this.#step(step)
  }

  #step(step: LinkStep): void {
    switch (step.kind) {
      case 'abi': {
        const abi = this.plan.link.abis[step.index]
        if (abi === undefined) return
        const memory = abi.memory === null ? null : (this.#core(abi.memory) as WebAssembly.Memory)
        const realloc = abi.realloc === null ? null : (this.#core(abi.realloc) as CoreFunction)
        this.#abi(step.index).bind(memory, realloc)
        return
      }
      case 'lower': {
        const lower = this.plan.link.lowers[step.index]
        if (lower !== undefined) this.#lowered[step.index] = this.#trampoline(lower, step.index)
        return
      }
      case 'builtin': {
        const builtin = this.plan.link.builtins[step.index]
        if (builtin !== undefined) this.#builtins[step.index] = this.#builtin(builtin)
        return
      }
      case 'elided':
        this.#instanceCount++
        if (step.start !== undefined)
          startInstance(this.#core(step.start) as CoreFunction, this.run)
        return
      case 'instantiate':
        this.#instantiate(step)
    }
  }

  /** Made when it is first asked for; bound when its memory is there. */
  #abi(index: number): Abi {
    let abi = this.#abis[index]
    if (abi === undefined) {
      const owner = this.plan.link.abis[index]?.owner ?? 0
      abi = new Abi(this.#guard(owner), this.#table(owner), this.run.meter)
      this.#abis[index] = abi
    }
    return abi
  }

  #guard(owner: number): Guard {
    return this.#guards[owner] ?? { mayLeave: true, entered: false }
  }

  #core(source: CoreSource): unknown {
    switch (source.kind) {
      case 'lowered':
        return this.#lowered[source.index]
      case 'builtin':
        return this.#builtins[source.index]
      default:
        return this.#instances[source.instance]?.[source.name]
    }
  }

  #table(owner: number): HandleTable {
    return this.state.tables[owner] ?? NO_HANDLES
  }

  #builtin({ kind, resource: index, owner, enters }: BuiltinPlan): CoreFunction {
    const planned = this.plan.link.resources[index]
    if (planned === undefined) throw new LoomError('ERR_INVARIANT', `no resource type ${index}`)
    const { resource } = planned
    const context = {
      resource,
      handles: this.#table(owner),
      guard: this.#guard(owner),
      run: this.run,
    }
    const destroy = kind === 'resource-drop' ? this.#destroyer(planned, enters) : NOTHING
    return bindBuiltin(kind, context, destroy)
  }

  /** What `resource.drop` of an own handle calls. */
  #destroyer(planned: ResourcePlan, enters: readonly number[]): Destroy {
    if (planned.kind === 'host') {
      const where = `import ${qualifiedName(planned.interfaceName, planned.drop.name)}`
      const drop = this.#resolve(planned.interfaceName, planned.drop)
      return (rep) => {
        try {
          drop(rep)
        } catch (error) {
          throw fail(this.run, toHostFailure(error, where))
        }
      }
    }
    const { resource, destructor } = planned
    return this.#entering(enters, `destructor of ${resource.name}`, this.#destructor(destructor))
  }

  /** What a resource type's destructor is; where shims are left out, its instance may not be there yet. */
  #destructor(source: CoreSource | null): CoreFunction {
    if (source === null) return NOTHING
    const core = this.#core(source) as CoreFunction | undefined
    return core ?? ((rep) => (this.#core(source) as CoreFunction)(rep))
  }

  /** A function that enters component instances: "Component Instances", `enter_from`, `leave_to`. */
  #entering<Args extends unknown[], Result>(
    owners: readonly number[],
    where: string,
    inner: (...args: Args) => Result,
  ): (...args: Args) => Result {
    if (owners.length === 0) return inner
    const guards = owners.map((owner) => this.#guard(owner))
    return (...args) => {
      if (guards.some((guard) => guard.entered))
        throw trapError(where, 'cannot enter the component instance')
      for (const guard of guards) guard.entered = true
      const result = inner(...args)
      for (const guard of guards) guard.entered = false
      return result
    }
  }

  #instantiate(step: Extract<LinkStep, { kind: 'instantiate' }>): void {
    const module = this.plan.modules[step.module]
    const instrumented = this.plan.instrumented[step.module]
    if (module === undefined || instrumented === undefined) return
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = Object.create(null)
    for (const { module: from, name, source } of step.imports) {
      let group = imports[from]
      if (group === undefined) {
        group = Object.create(null) as Record<string, WebAssembly.ImportValue>
        imports[from] = group
      }
      group[name] = this.#core(source) as WebAssembly.ImportValue
    }
    const { counters } = instrumented
    if (counters === 'imported') imports[METER_MODULE] = this.run.meter.imports()
    const { exports } = coreInstance(module, imports, this.run)
    const access = exports[ACCESS_NAME] as GlobalAccess
    if (counters === 'own') this.run.meter.attach(access)
    this.#instances[this.#instanceCount++] = exports
    const { memories, globals } = this.state
    if (instrumented.globals.length > 0) globals.add(access)
    for (const name of instrumented.memories)
      memories[this.#memoryCount++] = exports[name] as WebAssembly.Memory
    this.#numbers?.collect(this.state.elements, exports, instrumented.tables)
  }

  #host(importIndex: number): HostFunction {
    let host = this.#hosts[importIndex]
    if (host === undefined) {
      const wanted = this.plan.link.imports[importIndex]
      if (wanted === undefined) throw new LoomError('ERR_INVARIANT', `no import ${importIndex}`)
      host = this.#resolve(wanted.interfaceName, wanted.func)
      this.#hosts[importIndex] = host
    }
    return host
  }

  #trampoline(lower: LowerPlan, index: number): CoreFunction {
    const plan = this.plan.trampolines[index]
    if (plan === undefined)
      throw new LoomError('ERR_INVARIANT', `no plan for lowered function ${index}`)
    const abi = this.#abi(lower.abi)
    const { target } = lower
    const where = this.plan.lowerPlaces[index] ?? ''
    const host =
      target.kind === 'host' ? this.#host(target.importIndex) : this.#callee(lower, where)
    const plain = plan(abi, this.run, host, where) as CoreFunction
    const lowered = this.parking?.lowers.get(index)
    if (lowered === undefined) return plain
    return routed(lowered, plain, lowered.trampoline(abi, this.run, host, where), this.parks)
  }

  /** A call of another component's function; it pays for what it brings back as well, which nobody else counts. */
  #callee(lower: LowerPlan, where: string): HostFunction {
    const { target } = lower
    const call = this.#entering(lower.enters, where, this.bind(target))
    const callee = target.kind === 'lifted' ? this.#lifted(target.lift).abi : null
    const { meter } = this.run
    return (...args) => {
      try {
        callee?.begin()
        const result = call(args)
        if (callee !== null && !meter.charge(callee.cost))
          throw trapError(where, 'too much was brought back')
        return result
      } catch (error) {
        throw this.run.failure === null ? toFailure(error, where) : this.run.failure.error
      }
    }
  }

  /** An import that the component exports as it is: no guest between, the same rules. */
  #reexport(item: Extract<FuncItem, { kind: 'host' }>): BoundCall {
    const host = this.#host(item.importIndex)
    const check = item.shape.result === null ? null : checkerOf(item.shape.result)
    return (args) => {
      let value: WitValue
      try {
        value = host(...args) as WitValue
      } catch (error) {
        throw fail(this.run, toHostFailure(error, 'import'))
      }
      try {
        return check === null ? undefined : check(value)
      } catch (error) {
        throw fail(this.run, toHostFailure(toResultError(error, 'import'), 'import'))
      }
    }
  }

  bindExport(index: number): BoundCall {
    const target = this.plan.exports[index]
    if (target === undefined) throw new LoomError('ERR_INVARIANT', `no export ${index}`)
    const { item, where } = target
    const call = this.bind(item)
    if (!this.plan.link.hasInnerCalls || item.kind === 'host') return call
    return this.#entering(this.#entered(item.lift), where, call)
  }

  /** What a call from outside enters: the component instance and its ancestors. */
  #entered(lift: number): number[] {
    const { lifts, parents } = this.plan.link
    const owners: number[] = []
    for (let at = lifts[lift]?.owner ?? -1; at >= 0; at = parents[at] ?? -1) owners.push(at)
    return owners
  }

  /** As `bindExport`; the instances that the call enters stay entered while it is parked. */
  bindParkingExport(index: number): ParkingCall {
    const item = this.plan.exports[index]?.item
    if (item?.kind !== 'lifted' || this.parking === null || WebAssembly.promising === undefined)
      throw new LoomError('ERR_INVARIANT', `export ${index} cannot be parked`)
    const { core, abi, postReturn } = this.#lifted(item.lift)
    const call = this.parking.call(item.lift)(WebAssembly.promising(core), abi, postReturn)
    if (!this.plan.link.hasInnerCalls) return call
    const guards = this.#entered(item.lift).map((owner) => this.#guard(owner))
    return (args) => {
      for (const guard of guards) guard.entered = true
      return call(args).then((result) => {
        for (const guard of guards) guard.entered = false
        return result
      })
    }
  }

  bind(item: FuncItem): BoundCall {
    if (item.kind === 'host') return this.#reexport(item)
    const { core, abi, postReturn } = this.#lifted(item.lift)
    const plan = this.plan.calls[item.lift]
    if (plan === undefined)
      throw new LoomError('ERR_INVARIANT', `no plan for lifted function ${item.lift}`)
    return plan(core, abi, postReturn)
  }

  #lifted(index: number): { core: CoreFunction; abi: Abi; postReturn: CoreFunction | null } {
    const lift = this.plan.link.lifts[index]
    const abi = lift === undefined ? undefined : this.#abis[lift.abi]
    if (lift === undefined || abi === undefined)
      throw new LoomError('ERR_INVARIANT', `no lifted function ${index}`)
    const postReturn =
      lift.postReturn === null ? null : (this.#core(lift.postReturn) as CoreFunction)
    return { core: this.#core(lift.core) as CoreFunction, abi, postReturn }
  }
}
