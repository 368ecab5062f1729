/**
 * The component boundary: what the rest of the host sees of it.
 */
import type { WitFunction, WitInterface, WitValue } from './wit/wit.ts'

/**
 * A function the host serves to a guest. Arguments and result are JavaScript values (wit.ts). A promise may be
 * returned only where `Component.parking` was told that the import waits, and only to `callParking`.
 */
export type HostFunction = (...args: WitValue[]) => WitValue | Promise<WitValue>

/**
 * Gives the host function for one import of an instance; called once per import and instance. What drops
 * a resource of the host is asked for as `[resource-drop]name` of the interface that has the resource.
 */
export type ImportResolver = (interfaceName: string, func: WitFunction) => HostFunction

/** An export that can be called. `index` is stable for one component. */
export interface ComponentExport {
  readonly index: number
  readonly interfaceName: string
  readonly func: WitFunction
}

/** State that lies in the host beside a guest's memory; plain data at rest. */
export interface StateTable {
  save(): Uint8Array
  /** Makes the table what `save` gave. @throws ERR_SNAPSHOT_CORRUPT */
  load(saved: Uint8Array): void
}

/** A table of core functions that code changes. */
export interface CoreTable extends StateTable {
  /** What `save` gives now. It never becomes less: `load` takes as much, or more. */
  readonly sizeBytes: number
}

export type GlobalValue = number | bigint

/** Mutable globals, in the order of the core instances. */
export interface StateGlobals {
  readonly length: number
  read(): GlobalValue[]
  /** As many as `read` gives: bigints for i64, numbers for others. @throws ERR_SNAPSHOT_CORRUPT */
  write(values: readonly GlobalValue[]): void
}

/**
 * What an instance's state consists of, for host/image: everything mutable, in the order of the
 * component's core instances. Between calls this is the whole state.
 */
export interface InstanceState {
  readonly memories: readonly WebAssembly.Memory[]
  readonly globals: StateGlobals
  /** Handles, one table per component instance; none where the component knows no resources. */
  readonly tables: readonly StateTable[]
  /** Tables of functions; none where no code changes them. */
  readonly elements: readonly CoreTable[]
}

/** What one call of an instance may use up; the defaults and their reasons are in base/limits.ts. */
export interface GuestLimits {
  /** Instructions that the guest may run, and as much again for its host calls. Units: fuel. */
  readonly fuelPerTurn: number
  /** What all memories and tables of the instance may grow to. Units: pages of 64 KiB. */
  readonly memoryPagesMax: number
  /** What one result, or the arguments of one host call, take in this process. Units: bytes. */
  readonly resultBytesMax: number
}

/** Next state after any throw out of `call`: spoiled; it must be dropped. */
export interface ComponentInstance {
  readonly state: InstanceState
  /** True when no call runs, and none has thrown. */
  readonly idle: boolean
  /**
   * Calls an export. `args` must have passed `checkArguments`.
   * @throws ERR_TRAP        the guest trapped, or returned a value that its type does not allow.
   * @throws ERR_FUEL        it used up the limits' fuel.
   * @throws whatever a host function threw; it passes through the guest's frames unchanged.
   */
  call(target: ComponentExport, args: readonly WitValue[]): WitValue
  /** True when `callParking` can call it. */
  canPark(target: ComponentExport): boolean
  /**
   * As `call`, on a stack of its own: while a host function's promise is pending, the guest is parked in the
   * middle of the call, and every other call is refused. A parked guest that is given up must be unwound by
   * rejecting that promise: the engine keeps parked stacks, and the memory behind them, for ever.
   */
  callParking(target: ComponentExport, args: readonly WitValue[]): Promise<WitValue>
  /** False while a call runs or is parked: the state is not to be looked at. */
  readonly atRest: boolean
  /** Limits of the calls from now on; null for none, as replay needs it. */
  limit(limits: GuestLimits | null): void
}

export interface Component {
  readonly imports: readonly WitInterface[]
  readonly exports: readonly ComponentExport[]
  /**
   * Mutable state that an image does not hold, in words: segments that the component's code drops, and tables
   * of exceptions that it changes. Empty for what today's toolchains make of AssemblyScript, Rust and C.
   */
  readonly hidden: readonly string[]
  /** What memories and tables of an instance begin with. Units: bytes. */
  readonly initialSizeBytes: number
  /**
   * `limits` hold for the instantiation and for calls; none when they are left out.
   * @throws ERR_TRAP, ERR_FUEL when a start function or `_initialize` traps or runs too long.
   */
  instantiate(resolve: ImportResolver, limits?: GuestLimits | null): ComponentInstance
  /**
   * The same component, whose instances can be parked in the imports that `waits` names. Itself where that is
   * not possible: the engine lacks JSPI, it imports none of them, or its parts call each other across them.
   */
  parking(waits: (interfaceName: string, func: WitFunction) => boolean): Component
}

/**
 * Validates arguments against a function's WIT types.
 * @throws ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE naming the parameter, the path in it, expected and got.
 */
export type CheckArguments = (func: WitFunction, args: readonly unknown[]) => WitValue[]
