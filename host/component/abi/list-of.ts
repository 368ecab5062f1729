/**
 * Lists of known length.
 */

export const NONE: never[] = []

/** One that grows by `push` is given room for sixteen more, in each of thousands of instances. */
export function listOf<T>(length: number): (T | undefined)[] {
  return length === 0 ? NONE : new Array<T | undefined>(length)
}
