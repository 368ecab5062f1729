// Aim: the limiter gives what its README says, and never more. Method: random calls against a model, on the memory
// store and a clock that is set.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ActorHandle, type RuntimeOptions, VirtualClock } from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { openHost } from '../../../test/support/host.ts'
import { seedOf } from '../../../test/support/seed.ts'

const SEED = seedOf('rate limiter')

async function open(options: Partial<RuntimeOptions> = {}) {
  const runtime = await openHost(options)
  const component = componentBytes('rate-limiter')
  await runtime.registerActorType('Limiter', { type: 'wasm', component })
  return runtime
}

describe('rate-limiter', () => {
  const START_MS = 1_000_000

  async function limiter(clock = new VirtualClock(START_MS)): Promise<ActorHandle> {
    return (await open({ clock })).getActor('r', 'Limiter')
  }

  test('gives tokens until they are used up, and again when time has passed', async () => {
    const clock = new VirtualClock(START_MS)
    const bucket = await limiter(clock)
    expect(await bucket.call('available')).toBe(10)
    expect(await bucket.call('acquire', 7)).toEqual({ tag: 'ok', val: 3 })
    const later = { tag: 'err', val: { tag: 'later', val: 2_000n } }
    expect(await bucket.call('acquire', 5)).toEqual(later)
    clock.advance(1_999)
    expect(await bucket.call('acquire', 5)).toMatchObject({ val: { val: 1n } })
    clock.advance(1)
    expect(await bucket.call('acquire', 5)).toEqual({ tag: 'ok', val: 0 })
    const tooMany = { tag: 'err', val: { tag: 'too-many', val: 10 } }
    expect(await bucket.call('acquire', 11)).toEqual(tooMany)
  })

  test('refuses what makes no sense', async () => {
    const bucket = await limiter()
    const wrong = (val: string) => ({ tag: 'err', val })
    expect(await bucket.call('configure', 0, 1)).toEqual(wrong('the capacity must be at least 1'))
    expect(await bucket.call('configure', 1, 0)).toEqual(
      wrong('tokens per second must be at least 1'),
    )
    expect(await bucket.call('available')).toBe(10)
  })

  test('never gives more than size and speed allow, whatever is asked when', async () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.integer({ min: -500, max: 3_000 }), fc.constant(10 ** 12)),
      tokens: fc.integer({ min: 0, max: 25 }),
    })
    const size = fc.record({
      capacity: fc.integer({ min: 1, max: 20 }),
      speed: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(0xffff_ffff)),
    })
    const clock = new WallClock(START_MS)
    const runtime = await open({ clock })
    let which = 0
    await fc.assert(
      fc.asyncProperty(size, fc.array(step, { maxLength: 30 }), async (given, steps) => {
        const bucket = await runtime.getActor(`bucket-${which++}`, 'Limiter')
        await bucket.call('configure', given.capacity, given.speed)
        const model = new BucketModel(given.capacity, given.speed)
        for (const { afterMs, tokens } of steps) {
          clock.set(afterMs)
          expect(await bucket.call('acquire', tokens)).toEqual(model.acquire(tokens, afterMs))
        }
      }),
      { numRuns: 60, seed: SEED },
    )
  })
})

/** A wall clock that is set, forwards and back, without timers that become due. */
class WallClock extends VirtualClock {
  #offsetMs = 0

  set(byMs: number): void {
    this.#offsetMs += byMs
  }

  override wallMs(): number {
    return super.wallMs() + this.#offsetMs
  }
}

/** The bucket in unbounded integers: thousandths of tokens. */
class BucketModel {
  readonly #capacity: number
  readonly #speed: bigint
  #level: bigint

  constructor(capacity: number, speed: number) {
    this.#capacity = capacity
    this.#speed = BigInt(speed)
    this.#level = BigInt(Math.min(10, capacity)) * 1000n
  }

  acquire(tokens: number, afterMs: number): unknown {
    const full = BigInt(this.#capacity) * 1000n
    const refilled = this.#level + BigInt(Math.max(0, afterMs)) * this.#speed
    this.#level = refilled < full ? refilled : full
    if (tokens > this.#capacity) {
      return { tag: 'err', val: { tag: 'too-many', val: this.#capacity } }
    }
    const wanted = BigInt(tokens) * 1000n
    if (wanted > this.#level) {
      const waitMs = (wanted - this.#level + this.#speed - 1n) / this.#speed
      return { tag: 'err', val: { tag: 'later', val: waitMs } }
    }
    this.#level -= wanted
    return { tag: 'ok', val: Number(this.#level / 1000n) }
  }
}
