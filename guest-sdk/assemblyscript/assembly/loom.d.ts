// What an actor's source may use besides AssemblyScript itself, for editors. The compiler reads the
// modules beside this file; it never reads this one.

/**
 * Marks a class whose public methods become an interface of the component. `id`: `ns:pkg/name@1.2.3`; a
 * class that extends the abstract class of a .wit file has that interface's id, and needs none here.
 */
declare function component(id?: string): (target: any, context?: any) => void

/** Marks an enum whose values are bits (`1 << 0`, `1 << 1`, ...) as WIT flags. */
declare function flags(target: any, context?: any): void

declare module "loom" {
  /** WIT `char`: a Unicode scalar value. */
  export type char = u32
  /** Stands for "nothing" in `Result<Unit, E>` and `Result<T, Unit>`; pass `true`. */
  export type Unit = bool

  /** WIT `result<T, E>`: a value or an error that the caller is meant to handle. */
  export class Result<T, E> {
    static ok<T, E>(value: T): Result<T, E>
    static err<T, E>(error: E): Result<T, E>
    readonly isErr: bool
    get isOk(): bool
    /** Traps when this is an error. */
    get value(): T
    /** Traps when this is a value. */
    get error(): E
  }

  /** WIT `option<T>` for any T. For classes, strings and arrays `T | null` is the same and shorter. */
  export class Option<T> {
    static some<T>(value: T): Option<T>
    static none<T>(): Option<T>
    readonly isSome: bool
    get isNone(): bool
    /** Traps when there is none. */
    get value(): T
  }

  export class Tuple1<A> {
    constructor(a: A)
    a: A
  }
  export class Tuple2<A, B> {
    constructor(a: A, b: B)
    a: A
    b: B
  }
  export class Tuple3<A, B, C> {
    constructor(a: A, b: B, c: C)
    a: A
    b: B
    c: C
  }
  export class Tuple4<A, B, C, D> {
    constructor(a: A, b: B, c: C, d: D)
    a: A
    b: B
    c: C
    d: D
  }
  export class Tuple5<A, B, C, D, E> {
    constructor(a: A, b: B, c: C, d: D, e: E)
    a: A
    b: B
    c: C
    d: D
    e: E
  }
  export class Tuple6<A, B, C, D, E, F> {
    constructor(a: A, b: B, c: C, d: D, e: E, f: F)
    a: A
    b: B
    c: C
    d: D
    e: E
    f: F
  }
  export class Tuple7<A, B, C, D, E, F, G> {
    constructor(a: A, b: B, c: C, d: D, e: E, f: F, g: G)
    a: A
    b: B
    c: C
    d: D
    e: E
    f: F
    g: G
  }
  export class Tuple8<A, B, C, D, E, F, G, H> {
    constructor(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H)
    a: A
    b: B
    c: C
    d: D
    e: E
    f: F
    g: G
    h: H
  }
}

declare module "loom/clock" {
  export class Datetime {
    constructor(seconds: u64, nanoseconds: u32)
    seconds: u64
    nanoseconds: u32
  }
  /** Wall-clock time. Units: milliseconds since 1970-01-01T00:00:00Z. */
  export function now(): u64
  /** Wall-clock time: seconds since 1970-01-01T00:00:00Z, and nanoseconds. */
  export function wallClock(): Datetime
  /** A clock that never goes back, from an arbitrary start. Units: nanoseconds. */
  export function monotonicNow(): u64
}

declare module "loom/context" {
  export class ActorId {
    constructor(actorType: string, id: string)
    /** Name of the actor type, such as `Counter`. */
    actorType: string
    /** The id within the type, such as `c1`. */
    id: string
  }
  /** The actor that is running. */
  export function self(): ActorId
  /** Random id of this life of the actor; a deleted and recreated actor has another. */
  export function incarnation(): string
  /** Id of the running invocation: the caller's idempotency key, or a random id. */
  export function invocationId(): string
}

declare module "loom/log" {
  export enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
  }
  export function log(level: Level, message: string): void
  export function trace(message: string): void
  export function debug(message: string): void
  export function info(message: string): void
  export function warn(message: string): void
  export function error(message: string): void
}

declare module "loom/random" {
  /** Bytes of cryptographic quality. */
  export function randomBytes(count: u32): Uint8Array
  export function randomU64(): u64
}
