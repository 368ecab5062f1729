/** `loom:actor@0.1.0`: context, log and guest (wit/loom-actor@0.1.0). */
import type { HostCallContext, HostInterfaces } from './host-interface.ts'

const NS_PER_MS = 1_000_000

/** A uniform number in [0, 1) with 53 random bits, as Math.random gives. */
export function randomUnit(context: HostCallContext): number {
  return Number(context.random.u64() >> 11n) / 2 ** 53
}

export function serveLoomActor(interfaces: HostInterfaces): void {
  interfaces.add('loom:actor/context@0.1.0', {
    self: {
      kind: 'pure',
      perform: ({ key }) => ({ actorType: key.type, id: key.id }),
    },
    incarnation: { kind: 'pure', perform: ({ incarnation }) => incarnation },
    'invocation-id': { kind: 'pure', perform: (context) => context.invocationId() },
  })
  interfaces.add('loom:actor/log@0.1.0', {
    log: {
      kind: 'pure',
      perform: (context, [level, message]) => {
        if (context.live) context.log(String(level), String(message))
        return undefined
      },
    },
  })
  interfaces.add('loom:actor/guest@0.1.0', {
    panic: {
      kind: 'pure',
      perform: (context, [message, file, line, column]) => {
        context.panic(`${message} (${file}:${line}:${column})`)
        return undefined
      },
    },
    'date-now': { kind: 'recorded', perform: ({ clock }) => clock.wallMs() },
    'performance-now': {
      kind: 'recorded',
      perform: ({ clock }) => Number(clock.monotonicNs()) / NS_PER_MS,
    },
    seed: { kind: 'recorded', perform: randomUnit },
  })
}
