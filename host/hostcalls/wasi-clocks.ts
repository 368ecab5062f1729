/**
 * `wasi:clocks`: readings are recorded, and what is subscribed to is a pollable (wasi-io.ts).
 * Source: wasi-clocks, WIT of WASI 0.2.
 */
import type { WitValue } from '../component/wit/wit.ts'
import type { HostCallContext, HostFunctionSpec, HostInterfaces } from './host-interface.ts'

const NS_PER_SECOND = 1_000_000_000n
const RESOLUTION_NS = 1_000_000n
/** The year 2262, and what a journal can hold. A guest that asks to wait longer waits for ever. */
const WALL_NS_MAX = 2n ** 63n - 1n

function datetime(wallNs: bigint): WitValue {
  return { seconds: wallNs / NS_PER_SECOND, nanoseconds: Number(wallNs % NS_PER_SECOND) }
}

/** Recorded is when the pollable is ready; the resource is made of it live and in replay alike. */
function subscribe(delayNs: (context: HostCallContext, value: bigint) => bigint): HostFunctionSpec {
  return {
    kind: 'recorded',
    perform: (context, [value]) => {
      const atNs = context.clock.wallNs() + delayNs(context, value as bigint)
      return atNs > WALL_NS_MAX ? WALL_NS_MAX : atNs
    },
    derive: ({ resources }, atNs) => resources.add(atNs),
  }
}

export function serveWasiClocks(interfaces: HostInterfaces): void {
  interfaces.add('wasi:clocks/wall-clock@0.2.0', {
    now: { kind: 'recorded', perform: ({ clock }) => datetime(clock.wallNs()) },
    resolution: { kind: 'pure', perform: () => datetime(RESOLUTION_NS) },
  })
  interfaces.add('wasi:clocks/monotonic-clock@0.2.0', {
    now: { kind: 'recorded', perform: ({ clock }) => clock.monotonicNs() },
    resolution: { kind: 'pure', perform: () => RESOLUTION_NS },
    'subscribe-instant': subscribe(({ clock }, instant) => instant - clock.monotonicNs()),
    'subscribe-duration': subscribe((_, duration) => duration),
  })
  interfaces.add('wasi:clocks/timezone@0.2.0', {
    display: {
      kind: 'pure',
      perform: () => ({ utcOffset: 0, name: 'UTC', inDaylightSavingTime: false }),
    },
    'utc-offset': { kind: 'pure', perform: () => 0 },
  })
}
