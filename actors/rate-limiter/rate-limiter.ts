import { Result, Unit } from "loom";
import { now } from "loom/clock";

/** Why `acquire` gave nothing. */
export abstract class Refusal {}

/** Not now: as many tokens are there after this many milliseconds. */
export class LaterRefusal extends Refusal {
  constructor(public retryAfterMs: u64) {
    super();
  }
}

/** Never: the bucket holds only this many. */
export class TooManyRefusal extends Refusal {
  constructor(public capacity: u32) {
    super();
  }
}

/** Tokens are counted in thousandths, so that a millisecond refills a whole number of them. */
const SCALE: u64 = 1000;

/**
 * A token bucket: it is full at first, `acquire` takes tokens, and time puts them back. Ten tokens, one per
 * second, until it is configured.
 */
@component("loom:rate-limiter/rate-limiter@0.1.0")
export class RateLimiter {
  private capacity: u32 = 10;
  private perSecond: u32 = 1;
  private level: u64 = 10 * SCALE;
  private filledAtMs: u64 = now();

  /** Sets size and speed. The bucket keeps what is in it, as far as it fits. */
  configure(capacity: u32, tokensPerSecond: u32): Result<Unit, string> {
    if (capacity == 0) return Result.err<Unit, string>("the capacity must be at least 1");
    if (tokensPerSecond == 0) return Result.err<Unit, string>("tokens per second must be at least 1");
    this.refill();
    this.capacity = capacity;
    this.perSecond = tokensPerSecond;
    this.level = min(this.level, <u64>capacity * SCALE);
    return Result.ok<Unit, string>(true);
  }

  /** Takes tokens, all or none, and returns how many whole ones are left. */
  acquire(tokens: u32): Result<u32, Refusal> {
    this.refill();
    if (tokens > this.capacity) return Result.err<u32, Refusal>(new TooManyRefusal(this.capacity));
    const wanted = <u64>tokens * SCALE;
    if (wanted > this.level) {
      const waitMs = (wanted - this.level + this.perSecond - 1) / this.perSecond;
      return Result.err<u32, Refusal>(new LaterRefusal(waitMs));
    }
    this.level -= wanted;
    return Result.ok<u32, Refusal>(<u32>(this.level / SCALE));
  }

  /** Whole tokens that could be taken now. */
  available(): u32 {
    this.refill();
    return <u32>(this.level / SCALE);
  }

  /** Wall-clock time, which goes on over restarts of the host. When it is set back, nothing is refilled. */
  private refill(): void {
    const time = now();
    const full = <u64>this.capacity * SCALE;
    const elapsedMs = time > this.filledAtMs ? time - this.filledAtMs : 0;
    this.filledAtMs = time;
    // Compared before it is multiplied, which could overflow after a long rest.
    const neededMs = (full - this.level) / this.perSecond;
    this.level = elapsedMs > neededMs ? full : this.level + elapsedMs * this.perSecond;
  }
}
