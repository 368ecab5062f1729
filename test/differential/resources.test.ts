// The same operations on the same handles, through Loom's binder and through jco's glue.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadComponent } from '../../host/component/load.ts'
import { times } from '../support/long.ts'
import { createOracle } from '../support/oracle.ts'
import {
  RESOURCE_OPERATIONS,
  type ResourceOperation,
  resourceComponent,
  resourceHosts,
} from '../support/resource-component.ts'
import { seedsOf } from '../support/seed.ts'
import { run } from '../support/wat.ts'

const bytes = await parse(resourceComponent())
const component = await loadComponent(bytes)

const dispose: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for('dispose')

/** The host's resource as jco wants it: a class. */
function oracleImports(notes: string[]): Record<string, unknown> {
  class Thing {
    readonly rep: number
    constructor(rep: number) {
      this.rep = rep
    }
    peek(): number {
      return this.rep
    }
    static take(thing: Thing): number {
      notes.push(`taken ${thing.rep}`)
      return thing.rep
    }
    [dispose](): void {
      notes.push(`thing ${this.rep}`)
    }
  }
  return { 'test:res/host': { Thing, note: (rep: number) => notes.push(`item ${rep}`) } }
}

const camel: Readonly<Record<string, string>> = {
  'host-make': 'hostMake',
  'host-peek': 'hostPeek',
  'host-take': 'hostTake',
  'host-drop': 'hostDrop',
}

interface Live {
  readonly isHost: boolean
  readonly ours: number
  readonly theirs: number
}

// jco has a table per type and lets pass what must trap (dropping what is no handle), so indices are kept
// apart and only operations on live handles are compared; it also needs bit 30 of representations. Traps are tested against the specification.
// Some tables of jco's glue outlive its instances, and after 527 of them `make` and `take` fail: so glue serves as many runs
// as cannot have made that many handles.
const STEP_COUNT_MAX = 40
const RUNS_OF_GLUE = 12
const GLUE_COUNT = 3

test.each(seedsOf('resources, differential', times(1)))(
  'random operations on live handles give the same values and destructors (seed %i)',
  async (seed) => {
    const step = fc.record({
      name: fc.constantFrom<ResourceOperation>(...RESOURCE_OPERATIONS, 'make', 'host-make'),
      value: fc.nat(2 ** 30 - 1),
    })
    for (let glue = 0; glue < GLUE_COUNT; glue++) {
      const oracle = await createOracle(bytes)
      fc.assert(
        fc.property(fc.array(step, { maxLength: STEP_COUNT_MAX }), (steps) => {
          const notes: string[] = []
          const oracleNotes: string[] = []
          const { call } = run(component, resourceHosts(notes))
          const exports = oracle.instantiate(oracleImports(oracleNotes))
          const live: Live[] = []
          for (const { name, value } of steps) {
            const theirCall = exports[camel[name] ?? name] as (value: number) => number | undefined
            const isHost = name.startsWith('host-')
            if (name.endsWith('make')) {
              live.push({
                isHost,
                ours: call(name, value) as number,
                theirs: theirCall(value) ?? 0,
              })
              continue
            }
            const fitting = live.filter((handle) => handle.isHost === isHost)
            const handle = fitting[value % fitting.length]
            if (handle === undefined) continue
            expect(call(name, handle.ours)).toBe(theirCall(handle.theirs))
            expect(notes).toEqual(oracleNotes)
            if (!name.endsWith('peek')) live.splice(live.indexOf(handle), 1)
          }
        }),
        { seed: seed + glue, numRuns: RUNS_OF_GLUE },
      )
    }
  },
)
