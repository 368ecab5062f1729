/**
 * The clock, of an engine that has none (starlingmonkey-patch.ts): what it would ask is asked of the host, which records
 * the answers; while an actor is built it is refused.
 */
import { now as ticks } from 'wasi:clocks/monotonic-clock@0.2.0'
import { now } from 'wasi:clocks/wall-clock@0.2.0'
import { askHost } from './build-phase.js'
import { setGlobal } from './global.js'

const Real = Date

function wallMs(what) {
  askHost(what)
  const { seconds, nanoseconds } = now()
  return Number(seconds) * 1000 + Math.floor(nanoseconds / 1_000_000)
}

const Asking = new Proxy(Real, {
  construct(target, args, self) {
    const given = args.length === 0 ? [wallMs('new Date()')] : args
    return Reflect.construct(target, given, self === Asking ? target : self)
  },
  apply(target) {
    return new target(wallMs('Date()')).toString()
  },
})

Real.now = function now() {
  return wallMs('Date.now()')
}
Real.prototype.constructor = Asking
setGlobal('Date', Asking)
setGlobal('performance', {
  now() {
    askHost('performance.now()')
    return Number(ticks()) / 1_000_000
  },
})

/** Nothing is to be given back. */
export function restoreDate() {}
