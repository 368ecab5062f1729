/** A counter that starts at zero. */
@component("loom:counter/counter@0.1.0")
export class Counter {
  private total: u64 = 0;

  /** Adds to the counter and returns the new value. */
  increment(by: u32): u64 {
    this.total += by;
    return this.total;
  }

  /** The value, unchanged. */
  value(): u64 {
    return this.total;
  }
}
