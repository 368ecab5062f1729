// A counter that starts at zero.
import type { Counter } from './build/world.d.ts'

let total = 0n

export const counter: Counter = {
  increment(by) {
    total = BigInt.asUintN(64, total + BigInt(by))
    return total
  },

  value() {
    return total
  },
}
