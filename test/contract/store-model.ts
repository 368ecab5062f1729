/**
 * A property of every store: whatever was appended, interleaved as it may be, is what is read.
 *
 * Owns: random programs over a few logs, and the model (arrays) they are compared with.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ActorLog, Store, StoreDriver } from '../../host/store/store.ts'
import { commitOf, options, text, texts } from '../support/store-fixtures.ts'

const LOG_COUNT = 5

type Step =
  | { readonly kind: 'append'; readonly log: number; readonly sizes: readonly number[] }
  | { readonly kind: 'stale'; readonly log: number }
  | { readonly kind: 'reopenLog'; readonly log: number }
  | { readonly kind: 'reopenStore' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'read'; readonly log: number; readonly from: number; readonly count: number }

const logIndex = fc.nat({ max: LOG_COUNT - 1 })
const sizes = fc.array(fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 20_000 })), {
  minLength: 1,
  maxLength: 4,
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('append' as const), log: logIndex, sizes }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stale' as const), log: logIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopenLog' as const), log: logIndex }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopenStore' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'wait' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      log: logIndex,
      from: fc.nat({ max: 40 }),
      count: fc.nat({ max: 40 }),
    }),
  },
)

class Run {
  readonly #driver: StoreDriver
  readonly #model: string[][] = Array.from({ length: LOG_COUNT }, () => [])
  readonly #logs = new Map<number, ActorLog>()
  #store: Store
  #pending: Promise<void>[] = []

  constructor(driver: StoreDriver, store: Store) {
    this.#driver = driver
    this.#store = store
  }

  async do(action: Step): Promise<void> {
    switch (action.kind) {
      case 'append':
        return await this.#append(action.log, action.sizes)
      case 'stale': {
        const log = await this.#log(action.log)
        await expect(log.append({ seq: 1_000, entries: [text('x')] })).rejects.toThrow()
        this.#logs.delete(action.log)
        return
      }
      case 'reopenLog':
        this.#logs.delete(action.log)
        return
      case 'reopenStore':
        await this.close()
        this.#logs.clear()
        this.#store = await this.#driver.open(options)
        return
      case 'wait':
        return await this.settle()
      case 'read': {
        await this.settle()
        const { from, count } = action
        const rows = await (await this.#log(action.log)).read(from, count)
        expect(texts(rows)).toEqual(this.#model[action.log]?.slice(from, from + count))
      }
    }
  }

  async #append(index: number, sizeList: readonly number[]): Promise<void> {
    const log = await this.#log(index)
    const model = this.#model[index] ?? []
    const seq = model.length
    const values = sizeList.map((size, at) => `${index}/${seq + at}:`.padEnd(size, '.'))
    model.push(...values)
    this.#pending.push(log.append(commitOf(`${index}`, seq, ...values)))
  }

  async #log(index: number): Promise<ActorLog> {
    const known = this.#logs.get(index)
    if (known !== undefined) return known
    const log = await this.#store.openLog({ type: 'Counter', id: `${index}` })
    expect(log.seqNext).toBe(this.#model[index]?.length)
    this.#logs.set(index, log)
    return log
  }

  async settle(): Promise<void> {
    await Promise.all(this.#pending)
    this.#pending = []
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.settle()
  }

  async compare(): Promise<void> {
    this.#logs.clear()
    for (const [index, expected] of this.#model.entries())
      expect(texts(await (await this.#log(index)).read(0, 10_000))).toEqual(expected)
  }
}

export function describeStoreModel(name: string, make: () => StoreDriver): void {
  const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))
  it(`the ${name} store equals a model after random appends (LOOM_SEED=${seed})`, async () => {
    const program = fc.array(step, { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(program, async (actions) => {
        const driver = make()
        const run = new Run(driver, await driver.open(options))
        for (const action of actions) await run.do(action)
        await run.do({ kind: 'reopenStore' })
        await run.compare()
        await run.close()
      }),
      { seed, numRuns: 40 },
    )
  })
}
