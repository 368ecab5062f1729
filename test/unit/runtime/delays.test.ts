// Aim: what is put off comes at its time, also when that is further away than any timer goes. Method: a clock whose timers
// fire after a day at most, as those of Node do after 25.
import { expect, test } from 'vitest'
import { type Timer, VirtualClock } from '../../../host/base/clock.ts'
import { Delays } from '../../../host/runtime/delays.ts'

const DAY_MS = 24 * 3_600_000

class ShortClock extends VirtualClock {
  override after(delayMs: number, task: () => void): Timer {
    return super.after(Math.min(delayMs, DAY_MS), task)
  }
}

test('a delay that is longer than timers go is kept to the millisecond, whatever the wall clock does', () => {
  const clock = new ShortClock()
  const delays = new Delays(clock)
  let ran = 0
  delays.after(40 * DAY_MS + 5, () => {
    ran++
  })
  for (let day = 0; day < 40; day++) {
    clock.advance(DAY_MS)
    clock.jump(day % 2 === 0 ? -DAY_MS : DAY_MS)
  }
  clock.advance(4)
  expect(ran).toBe(0)
  clock.advance(1)
  expect(ran).toBe(1)
})

test('nothing is run behind the close, in whatever part of its delay', () => {
  const clock = new ShortClock()
  const delays = new Delays(clock)
  let ran = 0
  delays.after(3 * DAY_MS, () => {
    ran++
  })
  clock.advance(2 * DAY_MS)
  delays.close()
  clock.advance(9 * DAY_MS)
  expect(ran).toBe(0)
})
