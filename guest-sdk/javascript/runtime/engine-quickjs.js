/**
 * In what values and failures QuickJS differs, with what engine-patch.ts changes in it. The build joins this module, or
 * engine-starlingmonkey.js, to the others as `engine.js`.
 */
import { panic } from 'loom:engine/guest'

/** Integers of 64 bits cross as texts of 16 hexadecimal digits (EP2). */
export function giveLong(whole) {
  return BigInt.asUintN(64, whole).toString(16).padStart(16, '0')
}

export function takeLong(text) {
  return BigInt(`0x${text}`)
}

/** Lists of numbers, of any array. */
export function giveList(items) {
  return items
}

/** The text that ends a call without a word (EP3). */
const TRAP = '\0!trap!\0'

/** Ends the call; the host was told why. */
export function end() {
  panic(TRAP, '', 0, 0)
}

/** True for lines of a stack trace that are of the script. */
export function isOfScript() {
  return true
}
