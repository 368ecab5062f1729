// Types for signatures that plain AssemblyScript cannot spell.

/** WIT `char`: a Unicode scalar value. */
export type char = u32;

/** Stands for "nothing" in `Result<Unit, E>` and `Result<T, Unit>`; pass `true`. */
export type Unit = bool;

/** WIT `result<T, E>`: a value or an error that the caller is meant to handle. */
export class Result<T, E> {
  isErr: bool = false;
  private okValue: T;
  private errValue: E;

  constructor() {
    this.okValue = zero<T>();
    this.errValue = zero<E>();
  }

  static ok<T, E>(value: T): Result<T, E> {
    const result = new Result<T, E>();
    result.okValue = value;
    return result;
  }

  static err<T, E>(error: E): Result<T, E> {
    const result = new Result<T, E>();
    result.isErr = true;
    result.errValue = error;
    return result;
  }

  get isOk(): bool {
    return !this.isErr;
  }

  /** Traps when this is an error. */
  get value(): T {
    assert(!this.isErr, "result is an error");
    return this.okValue;
  }

  /** Traps when this is a value. */
  get error(): E {
    assert(this.isErr, "result is ok");
    return this.errValue;
  }
}

/** WIT `option<T>` for any T. For classes, strings and arrays `T | null` is the same and shorter. */
export class Option<T> {
  isSome: bool = false;
  private held: T;

  constructor() {
    this.held = zero<T>();
  }

  static some<T>(value: T): Option<T> {
    const option = new Option<T>();
    option.isSome = true;
    option.held = value;
    return option;
  }

  static none<T>(): Option<T> {
    return new Option<T>();
  }

  get isNone(): bool {
    return !this.isSome;
  }

  /** Traps when there is none. */
  get value(): T {
    assert(this.isSome, "option is none");
    return this.held;
  }
}

/** WIT `tuple<A>`. */
export class Tuple1<A> {
  constructor(public a: A) {}
}

/** WIT `tuple<A, B>`. */
export class Tuple2<A, B> {
  constructor(public a: A, public b: B) {}
}

/** WIT `tuple<A, B, C>`. */
export class Tuple3<A, B, C> {
  constructor(public a: A, public b: B, public c: C) {}
}

/** WIT `tuple<A, B, C, D>`. */
export class Tuple4<A, B, C, D> {
  constructor(public a: A, public b: B, public c: C, public d: D) {}
}

/** WIT `tuple<A, B, C, D, E>`. */
export class Tuple5<A, B, C, D, E> {
  constructor(public a: A, public b: B, public c: C, public d: D, public e: E) {}
}

/** WIT `tuple<A, B, C, D, E, F>`. */
export class Tuple6<A, B, C, D, E, F> {
  constructor(public a: A, public b: B, public c: C, public d: D, public e: E, public f: F) {}
}

/** WIT `tuple<A, B, C, D, E, F, G>`. */
export class Tuple7<A, B, C, D, E, F, G> {
  constructor(public a: A, public b: B, public c: C, public d: D, public e: E, public f: F, public g: G) {}
}

/** WIT `tuple<A, B, C, D, E, F, G, H>`. */
export class Tuple8<A, B, C, D, E, F, G, H> {
  constructor(public a: A, public b: B, public c: C, public d: D, public e: E, public f: F, public g: G, public h: H) {}
}

// @ts-ignore: decorator
@inline function zero<T>(): T {
  // A reference slot that is never read before it is set.
  if (isReference<T>()) return changetype<T>(0);
  // @ts-ignore: cast
  return <T>0;
}
