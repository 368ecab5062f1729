/**
 * In what values and failures StarlingMonkey differs. Joined to the others as `engine.js`; the other one is
 * engine-quickjs.js.
 */

/** Integers of 64 bits are what they are. */
export function giveLong(whole) {
  return whole
}

export function takeLong(value) {
  return value
}

/** Lists of numbers, as typed arrays. */
export function giveList(items, Numbers) {
  return Numbers === undefined ? items : Numbers.from(items)
}

class Ended extends Error {}

/** Ends the call; the host was told why. The engine makes a trap of what is thrown, unless it is the WIT's error. */
export function end() {
  throw new Ended()
}

/** True for lines of a stack trace that are of the script: the bindings are a script as well. */
export function isOfScript(frame) {
  return !frame.includes('initializer.js')
}
