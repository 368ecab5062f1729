/**
 * Frozen state: plain data that nobody changes in place.
 *
 * Owns: freezing in depth, and knowing what freezing does not protect: sets, dates and bytes change although they are
 * frozen. Whoever hands out a state that holds some hands out a copy.
 */

/** Frozen objects that hold, somewhere, what can be changed nevertheless. */
const changeable = new WeakSet<object>()

/** Freezes plain data in depth. Stops at what is frozen already, so that its cost is that of the change. */
export function frozen<T>(value: T): T {
  freeze(value)
  return value
}

/** True when a frozen value can be changed in place. */
export function isChangeable(value: object): boolean {
  return changeable.has(value)
}

/** Whether the value can be changed once it is frozen. */
function freeze(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (ArrayBuffer.isView(value)) return true
  if (Object.isFrozen(value)) return changeable.has(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  let isOpen = prototype !== Object.prototype && !Array.isArray(value)
  Object.freeze(value)
  for (const item of Object.values(value)) if (freeze(item)) isOpen = true
  if (isOpen) changeable.add(value)
  return isOpen
}
