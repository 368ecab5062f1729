/**
 * Programs of WebAssembly actors: a component behind the port of program.ts.
 *
 * Owns: a component's methods by name, binding its imports to the recorder, its baseline.
 * Does not own: lifting and lowering (component/), what an image is (image/).
 *
 * Invariants:
 *   W1. After any throw the instance is dropped: its stack pointer and borrowed cells are unknown.
 *   W3. Limits hold for what happens first; a turn that is replayed has none, because it returned once.
 *   W4. An actor whose component has state that no image holds is not captured: it recovers by replay.
 *   W5. A method is run on a stack that can be parked once it has had to wait: then it has been unwound once, in
 *       this process. Methods that never wait cost what they cost where nothing waits.
 *   W2. The baseline is the state right after instantiation. Where instantiation asks the host for
 *       something, that state is the actor's own; otherwise one baseline serves all actors. A component whose
 *       first instantiation asked for nothing never does: nothing told it to take another way.
 *   W6. Only what W2 and W4 let go through is recycled: an instance that is idle, never threw, can be brought
 *       back to the one baseline, and has no state that no image holds. A body that was released is dead.
 */
import type { Digest } from '../../base/digest.ts'
import { invariant, LoomError } from '../../base/errors.ts'
import { FUEL_PER_TURN, MEMORY_PAGES_MAX, RESULT_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { kebabCase } from '../../base/names.ts'
import type {
  Component,
  ComponentExport,
  GuestLimits,
  InstanceState,
} from '../../component/component.ts'
import { methodName } from '../../component/contract/method-names.ts'
import { loadComponent } from '../../component/load.ts'
import { checkArguments, checkResult } from '../../component/values/arguments.ts'
import { argumentsFromJson, valueToJson } from '../../component/values/json.ts'
import { compatibleName } from '../../component/wit/interface-name.ts'
import { passesHandles } from '../../component/wit/layout.ts'
import type { WitFunction, WitValue } from '../../component/wit/wit.ts'
import { formatFunction } from '../../component/wit/wit-text.ts'
import { bindHostFunction, type HostSeat } from '../../hostcalls/bound-function.ts'
import { CALL_LIMITS, type HostCallLimits } from '../../hostcalls/call-limits.ts'
import {
  type HostCallContext,
  type HostFunctionSpec,
  type HostInterfaces,
  importName,
} from '../../hostcalls/host-interface.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'
import { Suspension } from '../../hostcalls/suspension.ts'
import {
  type Baseline,
  capture,
  corrupt,
  hashState,
  PAGE_SIZE_BYTES,
  restore,
  scrub,
  takeBaseline,
} from '../../image/image.ts'
import { decodeImage, encodeImage } from '../../image/image-codec.ts'
import type { InstanceStock, SeatedInstance } from './instance-stock.ts'
import type { ActorBody, ActorMethod, ActorProgram } from './program.ts'

export interface WasmProgramOptions {
  readonly bytes: Uint8Array
  readonly digest: Digest
  readonly interfaces: HostInterfaces
  /** False for replay only, where imports are answered from the journal and need not be served. */
  readonly checkImports: boolean
  /** Park guests that wait, where the engine and the component can (component/instance/parking.ts). */
  readonly parks: boolean
  /** Where instances without an actor are kept; without it each actor gets a fresh one. */
  readonly stock?: InstanceStock
}

/** A component's program, with the default limits. */
export interface WasmActorProgram extends ActorProgram {
  /**
   * The same program under other limits; defaults for what is left out.
   * @throws ERR_COMPONENT_FEATURE when an instance begins with more memory than that.
   */
  withLimits(limits: Partial<ActorLimits>): ActorProgram
}

/** What one turn may use up, of the guest's side and of the host's. */
export interface ActorLimits extends GuestLimits, HostCallLimits {}

const DEFAULT_LIMITS: ActorLimits = {
  ...CALL_LIMITS,
  fuelPerTurn: FUEL_PER_TURN,
  memoryPagesMax: MEMORY_PAGES_MAX,
  resultBytesMax: RESULT_SIZE_MAX_BYTES,
}

interface WasmMethod extends ActorMethod {
  readonly target: ComponentExport
  /** It has had to wait before (W5). */
  waits: boolean
}

/** Answers nothing live; in replay the recorder never performs it (R1). */
const UNSERVED: HostFunctionSpec = {
  kind: 'recorded',
  perform: () => {
    throw new LoomError('ERR_COMPONENT_IMPORT', 'this interface is not served here')
  },
}

/**
 * Dropping a resource of the host returns nothing, so nothing of it is journaled: an interface need not serve
 * it, and what the embedder does at a drop, it does in live turns only.
 */
function dropSpec(served: HostFunctionSpec | undefined): HostFunctionSpec {
  if (served?.kind === 'pure') return served
  return {
    kind: 'pure',
    perform: (context, args) => {
      if (context.live) served?.perform(context, args, 0)
      return undefined
    },
  }
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE, ERR_COMPONENT_IMPORT */
export async function wasmProgram(options: WasmProgramOptions): Promise<WasmActorProgram> {
  const component = await loadComponent(options.bytes)
  if (options.checkImports) options.interfaces.checkImports(component.imports)
  const names = component.exports.map(({ interfaceName, func: { name } }) => ({
    interfaceName,
    name,
  }))
  const methods = component.exports.map((target) => methodOf(target, names))
  return new WasmProgram(component, methods, options, DEFAULT_LIMITS)
}

/** What all instances of a program bind one import to. */
interface BoundImport {
  readonly target: string
  readonly spec: HostFunctionSpec
  readonly check: (result: unknown) => WitValue
}

class WasmProgram implements WasmActorProgram {
  readonly type = 'wasm'
  readonly digest: Digest
  readonly methods: readonly WasmMethod[]
  readonly uncaptured: string | null
  readonly limits: ActorLimits
  readonly #component: Component
  readonly #options: WasmProgramOptions
  readonly #byName: ReadonlyMap<string, ActorMethod>
  readonly #byFunction = new Map<string, ActorMethod>()
  readonly #imports = new Map<WitFunction, BoundImport>()
  #sharedBaseline: Baseline | null = null
  /** The component as it is instantiated; made for the first actor, when all interfaces are provided. */
  #instantiable: Component | null = null

  constructor(
    component: Component,
    methods: readonly WasmMethod[],
    options: WasmProgramOptions,
    limits: ActorLimits,
  ) {
    this.digest = options.digest
    this.methods = methods
    this.uncaptured = component.hidden.length === 0 ? null : component.hidden.join(', ')
    this.limits = limits
    this.#component = component
    this.#options = options
    this.#byName = new Map(methods.map((method) => [method.name, method]))
  }

  /** W2. */
  get startsQuietly(): boolean {
    return this.#sharedBaseline !== null
  }

  findMethod(name: string): ActorMethod | undefined {
    return this.#byName.get(name) ?? this.#byName.get(kebabCase(name))
  }

  findFunction(interfaceName: string, name: string): ActorMethod | undefined {
    const key = `${interfaceName}#${name}`
    const known = this.#byFunction.get(key)
    if (known !== undefined) return known
    const wanted = compatibleName(interfaceName)
    const found = this.methods.find(
      ({ target }) => target.func.name === name && compatibleName(target.interfaceName) === wanted,
    )
    if (found !== undefined) this.#byFunction.set(key, found)
    return found
  }

  get callLimits(): HostCallLimits {
    return this.limits
  }

  withLimits(limits: Partial<ActorLimits>): ActorProgram {
    const all = { ...DEFAULT_LIMITS, ...limits }
    checkInitialSize(this.#component, all)
    return new WasmProgram(this.#component, this.methods, this.#options, all)
  }

  start(context: HostCallContext, recorder: Recorder): ActorBody {
    const spare = this.#options.stock?.take(this)
    if (spare !== undefined && this.#sharedBaseline !== null) {
      spare.seat.recorder = recorder
      spare.seat.context = context
      return new WasmBody(this, spare, this.#sharedBaseline)
    }
    const seat: HostSeat = { recorder, context }
    this.#instantiable ??= this.#parking()
    const instance = this.#instantiable.instantiate(
      (interfaceName, func) => {
        const { target, spec, check } =
          this.#imports.get(func) ?? this.#bindImport(interfaceName, func)
        return bindHostFunction(seat, target, spec, check)
      },
      recorder.replaying ? null : this.limits,
    )
    let baseline = this.#sharedBaseline
    if (baseline === null || !recorder.quiet) baseline = takeBaseline(instance.state)
    if (recorder.quiet) this.#sharedBaseline = baseline
    return new WasmBody(this, { instance, seat }, baseline)
  }

  #parking(): Component {
    const { parks, interfaces } = this.#options
    if (!parks) return this.#component
    return this.#component.parking((interfaceName, func) => {
      const kind = interfaces.answer(interfaceName, func)?.kind
      return kind === 'awaiting' || kind === 'calling'
    })
  }

  #bindImport(interfaceName: string, func: WitFunction): BoundImport {
    const served = this.#options.interfaces.answer(interfaceName, func)
    const spec = func.name.startsWith('[resource-drop]') ? dropSpec(served) : (served ?? UNSERVED)
    const bound = { target: importName(interfaceName, func), spec, check: resultCheck(func) }
    this.#imports.set(func, bound)
    return bound
  }

  /** Takes back an instance that its actor needs no more (W5). */
  recycle(spare: SeatedInstance, baseline: Baseline): void {
    const { stock } = this.#options
    if (stock === undefined || this.uncaptured !== null || !spare.instance.idle) return
    if (baseline !== this.#sharedBaseline || !scrub(spare.instance.state, baseline)) return
    stock.put(this, spare)
  }
}

function checkInitialSize(component: Component, { memoryPagesMax }: GuestLimits): void {
  const pages = Math.ceil(component.initialSizeBytes / PAGE_SIZE_BYTES)
  if (pages > memoryPagesMax)
    throw new LoomError(
      'ERR_COMPONENT_FEATURE',
      `component: it begins with ${pages} pages of memory; limits.memoryPagesMax is ${memoryPagesMax}`,
      { data: { limit: 'memoryPagesMax', allowed: memoryPagesMax, wanted: pages } },
    )
}

class WasmBody implements ActorBody {
  readonly #program: WasmProgram
  readonly #baseline: Baseline
  /** Null when the body was released (W5). */
  #seated: SeatedInstance | null
  /** Whether the instance is under limits now (W3); null when they have to be set again. */
  #limited: boolean | null = null
  /** True while the state is the baseline. */
  #pristine = true

  constructor(program: WasmProgram, seated: SeatedInstance, baseline: Baseline) {
    this.#program = program
    this.#seated = seated
    this.#baseline = baseline
  }

  parks(method: ActorMethod): boolean {
    const { waits, target } = method as WasmMethod
    return waits && this.#live().instance.canPark(target)
  }

  invoke(method: ActorMethod, args: readonly WitValue[]): WitValue | Promise<WitValue> {
    const { instance, seat } = this.#live()
    const limited = !seat.recorder.replaying
    if (limited !== this.#limited) {
      instance.limit(limited ? this.#program.limits : null)
      this.#limited = limited
      this.#pristine = false
    }
    const { target } = method as WasmMethod
    if (seat.recorder.parking) return instance.callParking(target, args)
    try {
      return instance.call(target, args)
    } catch (error) {
      if (error instanceof Suspension && error.kind !== 'recorded')
        (method as WasmMethod).waits = true
      throw error
    }
  }

  /** W1: the instance cannot be used again. */
  rollback(): boolean {
    return false
  }

  accept(): void {}

  capture(): Uint8Array {
    return encodeImage(capture(this.#state(), this.#baseline))
  }

  restore(image: Uint8Array): void {
    const { uncaptured } = this.#program
    if (uncaptured !== null) throw corrupt(`the component ${uncaptured}`)
    const isFresh = this.#pristine
    this.#limited = null
    this.#pristine = false
    restore(this.#state(), this.#baseline, decodeImage(image), isFresh)
  }

  stateHash(): string {
    return hashState(this.#state())
  }

  release(): void {
    const seated = this.#seated
    this.#seated = null
    if (seated !== null) this.#program.recycle(seated, this.#baseline)
  }

  #live(): SeatedInstance {
    const seated = this.#seated
    invariant(seated !== null, 'a body that was released is used')
    return seated
  }

  /** The host's resources belong to the state of an instance that can hold handles. */
  #state(): InstanceState {
    const { instance, seat } = this.#live()
    invariant(
      instance.atRest,
      'the state of an instance is asked for while a call runs or is parked',
    )
    const { state } = instance
    if (state.tables.length === 0) return state
    return { ...state, tables: [...state.tables, seat.context.resources] }
  }
}

/** Checks what a host function returned against its WIT type (R4). */
function resultCheck(func: WitFunction): (result: unknown) => WitValue {
  return (result) => checkResult(func, result)
}

/** Handles are of this process; an API that gives them away would have to keep them for its callers. */
function refuseHandles(name: string, func: WitFunction): never {
  throw new LoomError(
    'ERR_COMPONENT_FEATURE',
    `${name}: ${formatFunction(func)} passes a resource handle, which callers from outside cannot hold`,
    { data: { feature: 'resource handle in a method', method: name } },
  )
}

function methodOf(target: ComponentExport, all: Parameters<typeof methodName>[1]): WasmMethod {
  const { func, interfaceName } = target
  const name = methodName({ interfaceName, name: func.name }, all)
  const refusal = passesHandles(func) ? () => refuseHandles(name, func) : null
  return {
    target,
    waits: false,
    name,
    signature: formatFunction(func),
    check: refusal ?? ((args) => checkArguments(func, args)),
    fromJson: refusal ?? ((args) => argumentsFromJson(func, args)),
    toJson: (result) => (func.result === null ? null : valueToJson(func.result, result)),
  }
}
