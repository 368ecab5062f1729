// Aim: what an actor occupies does not grow with the number of calls, in any language.
// Method: random calls on one instance; in their second half neither its pages nor its image become larger than they
// were in the first. A million calls with LOOM_LONG=20.
import { describe, expect, test } from 'vitest'
import { loadComponent } from '../../host/component/load.ts'
import { capture, imageSize, takeBaseline } from '../../host/image/image.ts'
import { componentBytes } from '../support/components.ts'
import { Choices, GUESTS, HostAnswers, startGuest } from '../support/guests.ts'
import { isLong, times } from '../support/long.ts'
import { seedOf } from '../support/seed.ts'

const CALLS = times(50_000)
/** Of languages that are interpreted. */
const FEWER_CALLS = isLong ? CALLS : 10_000
/** How often it is looked at. */
const SAMPLES = 100
/** What a collector has not collected yet varies; a leak of two bytes a call would be seen. Units: bytes. */
const SLACK = 16_384

interface Size {
  readonly pageCount: number
  readonly imageBytes: number
}

describe('memory does not grow with the number of calls', () => {
  test.each(GUESTS)('$name', { timeout: 600_000 }, async ({ file, next, name, isInterpreted }) => {
    const calls = isInterpreted ? FEWER_CALLS : CALLS
    const answers = new HostAnswers()
    const component = await loadComponent(componentBytes(file))
    const baseline = takeBaseline(startGuest(component, answers).instance.state)
    const choices = new Choices(seedOf(`leaks, ${name}`))
    const guest = startGuest(component, answers)
    const sizes: Size[] = []
    for (let index = 0; index < calls; index++) {
      answers.callNumber = index
      guest.call(...next(choices))
      if (index % (calls / SAMPLES) !== 0) continue
      const image = capture(guest.instance.state, baseline)
      const pageCount = image.memories.reduce((sum, memory) => sum + memory.pageCount, 0)
      sizes.push({ pageCount, imageBytes: imageSize(image) })
    }
    const largest = (some: readonly Size[], of: keyof Size): number =>
      Math.max(...some.map((size) => size[of]))
    const [first, second] = [sizes.slice(0, SAMPLES / 2), sizes.slice(SAMPLES / 2)]
    expect(second.length).toBe(SAMPLES / 2)
    expect(largest(second, 'pageCount')).toBeLessThanOrEqual(largest(first, 'pageCount'))
    expect(largest(second, 'imageBytes')).toBeLessThanOrEqual(largest(first, 'imageBytes') + SLACK)
  })
})
