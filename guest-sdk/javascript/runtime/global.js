/**
 * Global names.
 */

/** Engines have some of them as properties that cannot be assigned. */
export function setGlobal(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
}
