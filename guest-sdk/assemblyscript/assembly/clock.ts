// Time. Every reading is recorded with the turn and comes back in a replay.

import { now as wallNow, Datetime } from "loom/host/wall-clock";
import { now as monotonic } from "loom/host/monotonic-clock";

export { Datetime };

/** Wall-clock time. Units: milliseconds since 1970-01-01T00:00:00Z. */
export function now(): u64 {
  const time = wallNow();
  return time.seconds * 1000 + time.nanoseconds / 1000000;
}

/** Wall-clock time: seconds since 1970-01-01T00:00:00Z, and nanoseconds. */
export function wallClock(): Datetime {
  return wallNow();
}

/** A clock that never goes back, from an arbitrary start. Units: nanoseconds. */
export function monotonicNow(): u64 {
  return monotonic();
}
