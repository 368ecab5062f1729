// Random sequences of resource operations: against the tables as CanonicalABI.md has them, against jco, and
// with a capture and a restore into another instance at any moment.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadComponent } from '../../../host/component/load.ts'
import { capture, hashState, restore, takeBaseline } from '../../../host/image/image.ts'
import { decodeImage, encodeImage } from '../../../host/image/image-codec.ts'
import {
  RESOURCE_OPERATIONS,
  type ResourceOperation,
  resourceComponent,
  resourceHosts,
} from '../../support/resource-component.ts'
import { seedOf } from '../../support/seed.ts'
import { run } from '../../support/wat.ts'

const bytes = await parse(resourceComponent())
const component = await loadComponent(bytes)

/** CanonicalABI.md, "Table State" and "Resource State", for own handles. */
class ModelTable {
  readonly #array: ({ type: 'thing' | 'item'; rep: number } | null)[] = [null]
  readonly #free: number[] = []

  add(type: 'thing' | 'item', rep: number): number {
    const index = this.#free.pop() ?? this.#array.length
    this.#array[index] = { type, rep }
    return index
  }

  get(type: 'thing' | 'item', index: number): number {
    const entry = this.#array[index]
    if (entry == null || entry.type !== type) throw new Error('trap')
    return entry.rep
  }

  remove(type: 'thing' | 'item', index: number): number {
    const rep = this.get(type, index)
    this.#array[index] = null
    this.#free.push(index)
    return rep
  }
}

function modelCall(
  table: ModelTable,
  notes: string[],
  name: ResourceOperation,
  value: number,
): number | undefined {
  const type = name.startsWith('host-') ? 'thing' : 'item'
  switch (name.replace('host-', '')) {
    case 'make':
      return table.add(type, value)
    case 'peek':
      return table.get(type, value)
    case 'take': {
      const rep = table.remove(type, value)
      notes.push(type === 'thing' ? `taken ${rep}` : `item ${rep}`)
      return rep
    }
    default:
      notes.push(`${type} ${table.remove(type, value)}`)
      return undefined
  }
}

const step = fc.record({
  name: fc.constantFrom<ResourceOperation | 'restart'>(...RESOURCE_OPERATIONS, 'make', 'restart'),
  value: fc.nat(6),
})

test('random operations do what the specification says, also across restores', () => {
  const baseline = takeBaseline(run(component, resourceHosts()).instance.state)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const notes: string[] = []
      const expectedNotes: string[] = []
      const table = new ModelTable()
      let running = run(component, resourceHosts(notes))
      for (const { name, value } of steps) {
        if (name === 'restart') {
          const image = decodeImage(encodeImage(capture(running.instance.state, baseline)))
          const next = run(component, resourceHosts(notes))
          restore(next.instance.state, baseline, image)
          expect(hashState(next.instance.state)).toBe(hashState(running.instance.state))
          running = next
          continue
        }
        let expected: number | undefined
        try {
          expected = modelCall(table, expectedNotes, name, value)
        } catch {
          expect(() => running.call(name, value)).toThrow(
            expect.objectContaining({ code: 'ERR_TRAP' }),
          )
          break
        }
        expect(running.call(name, value)).toBe(expected)
        expect(notes).toEqual(expectedNotes)
      }
    }),
    { seed: seedOf('resources'), numRuns: 120 },
  )
})
