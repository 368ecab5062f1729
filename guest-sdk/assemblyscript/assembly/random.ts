// Randomness of the host, of cryptographic quality. Recorded with the turn.

import { getRandomBytes, getRandomU64 } from "loom/host/random";

export function randomBytes(count: u32): Uint8Array {
  const bytes = getRandomBytes(count);
  return Uint8Array.wrap(bytes.buffer, 0, bytes.length);
}

export function randomU64(): u64 {
  return getRandomU64();
}
