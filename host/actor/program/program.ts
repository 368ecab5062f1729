/**
 * Programs and bodies: what an actor type runs, and one actor's running copy of it.
 *
 * Owns: the port between the turn engine and what it runs (a WebAssembly component, a TypeScript class).
 * Does not own: turns, recording, durability.
 */
import type { JsonValue, WitValue } from '../../component/wit/wit.ts'
import type { HostCallLimits } from '../../hostcalls/call-limits.ts'
import type { HostCallContext } from '../../hostcalls/host-interface.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'

export interface ActorMethod {
  /** As journaled: the WIT name, or the property name of a TypeScript actor. */
  readonly name: string
  /** WIT text such as `func(by: u32) -> u64`; null for TypeScript actors. */
  readonly signature: string | null
  /** @throws ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE */
  check(args: readonly unknown[]): readonly WitValue[]
  /** @throws ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE */
  fromJson(args: readonly JsonValue[]): readonly WitValue[]
  toJson(result: WitValue): JsonValue
  /** Of the host's own methods: what is run instead of the body's code (host-methods.ts). */
  readonly perform?: (context: HostCallContext, args: readonly WitValue[]) => WitValue
}

/** One actor's memory and code. Next state after a throw out of `invoke`: as `rollback` says. */
export interface ActorBody {
  /** True when the method should be run so that it can be parked: `beginLive` with a `park`. */
  parks(method: ActorMethod): boolean
  /** Runs a method; a promise only where the guest language has them, or where the guest can be parked. */
  invoke(method: ActorMethod, args: readonly WitValue[]): WitValue | Promise<WitValue>
  /** Called when a turn failed. True: the state is as before the turn. False: rebuild the body. */
  rollback(): boolean
  /** Called when a turn returned: its state is the new one. */
  accept(): void
  /** The whole state as bytes; the same state gives the same bytes. */
  capture(): Uint8Array
  /** Makes the state what was captured. @throws ERR_SNAPSHOT_CORRUPT */
  restore(image: Uint8Array): void
  /** SHA-256 over the state, as 64 hex digits. */
  stateHash(): string
  /** The actor needs the body no more: what it holds may serve another one. It is not used again. */
  release(): void
}

export interface ActorProgram {
  readonly type: 'wasm' | 'typescript'
  /** Digest of the component; `typescript` for a class. */
  readonly digest: string
  readonly methods: readonly ActorMethod[]
  /** What one turn may ask of the host. */
  readonly callLimits: HostCallLimits
  /** Known to ask the host for nothing when it is instantiated: then no created entry holds calls. */
  readonly startsQuietly: boolean
  /** Why `capture` does not hold the whole state, so that actors recover by replay alone; or null. */
  readonly uncaptured: string | null
  findMethod(name: string): ActorMethod | undefined
  /** The method that a function of an interface is, where the interface is known: a class has none. */
  findFunction(interfaceName: string, name: string): ActorMethod | undefined
  /** Instantiates; the recorder is in a turn, live or replayed, while this runs. */
  start(context: HostCallContext, recorder: Recorder): ActorBody
}
