//! Time. Every reading is recorded with the turn and comes back in a replay.
#![forbid(unsafe_code)]
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};

/// Wall-clock time. Units: milliseconds since 1970-01-01T00:00:00Z.
pub fn now() -> u64 {
    let time = wall_clock::now();
    time.seconds * 1000 + u64::from(time.nanoseconds / 1_000_000)
}

/// A clock that never goes back, from an arbitrary start. Units: nanoseconds.
pub fn monotonic_now() -> u64 {
    monotonic_clock::now()
}
