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

declare module "loom/actors" {
  export class ActorId {
    constructor(actorType: string, id: string)
    actorType: string
    id: string
  }
  /** Why a call has no result. The callee's state is what it was before the call. */
  export class CallError {
    constructor(code: string, message: string)
    /** A code of Loom's table of errors, such as `ERR_TRAP` or `ERR_DEADLOCK`. */
    code: string
    message: string
  }
  /** Calls a method and waits for its result. `args`: a JSON array. The callee's turn happens once. */
  export function call(target: ActorId, method: string, args: string): import("loom").Result<string, CallError>
  /** Sends a message: the method is called once, after this turn is durable, or not at all when this turn fails. */
  export function send(target: ActorId, method: string, args: string): void
  /** As `send`, no sooner than `delayMs` milliseconds after this turn. */
  export function sendLater(target: ActorId, method: string, args: string, delayMs: u64): void
}

declare module "loom/state" {
  /** The value, or null. Recorded: its bytes go into the journal. Keys: 1 to 512 bytes of UTF-8. */
  export function getValue(key: string): Uint8Array | null
  export function setValue(key: string, value: Uint8Array): void
  export function deleteValue(key: string): void
  /** Keys that begin with `prefix`, in the order of their bytes, behind `after`, at most `limit` and 10,000. */
  export function listKeys(prefix: string, after: string | null, limit: u32): Array<string>
}

declare module "loom/reminders" {
  /** What becomes of ticks that nobody could run at their time. */
  export enum Missed {
    /** One tick stands for all of them. */
    Once,
    /** A tick that is later than a minute, or than its period, is not run. */
    Skip,
    /** Each of them is run. */
    All,
  }
  export class Schedule {
    constructor(due: string, period: string | null, ttl: string | null, missed: Missed)
    /** A time (RFC 3339) or a duration (`1h30m`, `PT1H30M`); empty: at once. */
    due: string
    /** A duration, `R5/PT1M` (five ticks in all), `@every 1m`, or cron. None: one tick. */
    period: string | null
    /** A time, or a duration behind the first tick: no tick is due then or later. */
    ttl: string | null
    missed: Missed
  }
  export class Reminder {
    constructor(name: string, schedule: Schedule, data: Array<u8>, dueAtMs: u64)
    name: string
    schedule: Schedule
    data: Array<u8>
    /** When the next tick is due. Units: milliseconds since 1970-01-01T00:00:00Z. */
    dueAtMs: u64
  }
  /** Extend it, with `@component()`, in an actor that sets reminders. */
  export abstract class ReminderHandler {
    abstract receiveReminder(name: string, data: Array<u8>): void
  }
  /** Sets a reminder, over one of the same name. The error says what is wrong with the name or the schedule. */
  export function setReminder(name: string, schedule: Schedule, data: Array<u8>): import("loom").Result<import("loom").Unit, string>
  /** There need not be one. */
  export function cancelReminder(name: string): void
  /** In order of name, as the turns before this one have left them. Recorded. */
  export function listReminders(): Array<Reminder>
}

declare module "loom/timers" {
  /** What becomes of ticks that nobody could run at their time. */
  export enum Missed {
    Once,
    Skip,
    All,
  }
  export class Schedule {
    constructor(due: string, period: string | null, ttl: string | null, missed: Missed)
    due: string
    period: string | null
    ttl: string | null
    missed: Missed
  }
  /** Extend it, with `@component()`, in an actor that sets timers. */
  export abstract class TimerHandler {
    abstract receiveTimer(name: string, data: Array<u8>): void
  }
  /** As `setReminder`. */
  export function setTimer(name: string, schedule: Schedule, data: Array<u8>): import("loom").Result<import("loom").Unit, string>
  /** There need not be one. */
  export function cancelTimer(name: string): void
}

declare module "loom/http" {
  export class Request {
    constructor(
      method: string,
      url: string,
      headers: Array<import("loom").Tuple2<string, string>>,
      body: Array<u8> | null,
      timeoutMs: import("loom").Option<u32>,
    )
    method: string
    url: string
    headers: Array<import("loom").Tuple2<string, string>>
    body: Array<u8> | null
    /** None: as long as the type allows. */
    timeoutMs: import("loom").Option<u32>
  }
  export class Response {
    constructor(status: u16, url: string, headers: Array<import("loom").Tuple2<string, string>>, body: Array<u8>)
    status: u16
    /** Where it came from in the end, behind redirects. */
    url: string
    headers: Array<import("loom").Tuple2<string, string>>
    body: Array<u8>
  }
  export enum ErrorCode {
    Denied,
    Invalid,
    Unreachable,
    Timeout,
    TooLarge,
  }
  export class FetchError {
    constructor(code: ErrorCode, message: string)
    code: ErrorCode
    message: string
  }
  /** Any status is a response. Recorded. */
  export function fetch(request: Request): import("loom").Result<Response, FetchError>
}
