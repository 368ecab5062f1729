//! Random bits. Recorded with the turn; a replay gives the same.
#![forbid(unsafe_code)]
use crate::bindings::wasi::random::random;

/// `count` random bytes.
pub fn bytes(count: u64) -> Vec<u8> {
    random::get_random_bytes(count)
}

/// 64 random bits.
pub fn u64() -> u64 {
    random::get_random_u64()
}
