// Keyed state: values beside the actor's memory. A turn's writes are committed with it.

import { get_ as read, set_ as write } from "loom/host/state";

export { delete_ as deleteValue, listKeys } from "loom/host/state";

/** The value, or null. */
export function getValue(key: string): Uint8Array | null {
  const found = read(key);
  return found === null ? null : Uint8Array.wrap(found.buffer, 0, found.length);
}

export function setValue(key: string, value: Uint8Array): void {
  const bytes = new Array<u8>(value.length);
  memory.copy(bytes.dataStart, value.dataStart, value.length);
  write(key, bytes);
}
