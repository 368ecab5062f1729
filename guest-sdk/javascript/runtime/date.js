/**
 * The clock. The engine asks the host for it (`wasi:clocks`), which records the answers; while an actor is built it
 * refuses.
 */
import { askHost } from './build-phase.js'

const Real = Date
const realNow = Date.now
const realPerformance = performance

Real.now = function now() {
  askHost('Date.now()')
  return realNow()
}
globalThis.performance = {
  now() {
    askHost('performance.now()')
    return realPerformance.now()
  },
}

const Guarded = new Proxy(Real, {
  construct(target, args, self) {
    if (args.length === 0) askHost('new Date()')
    return Reflect.construct(target, args, self === Guarded ? target : self)
  },
  apply(target) {
    askHost('Date()')
    return target()
  },
})

globalThis.Date = Guarded

/** The engine's own class from now on. What was kept of the other one works as well. */
export function restoreDate() {
  globalThis.Date = Real
}
