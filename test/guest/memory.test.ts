// Aim: between calls, memories and globals are the whole state of a guest, in every language.
// Method: the same random calls on an instance that never stops and on one that is captured and restored at
// random points, into fresh and into recycled instances; results, and the hash of memories and globals, are
// equal at every point. As the proof that this would notice: without the globals, AssemblyScript fails.
import { describe, expect, test } from 'vitest'
import type { Component } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import {
  type Baseline,
  canRestore,
  capture,
  hashState,
  type Image,
  restore,
  takeBaseline,
} from '../../host/image/image.ts'
import { componentBytes } from '../support/components.ts'
import {
  bankCall,
  type Call,
  Choices,
  GUESTS,
  type Guest,
  HostAnswers,
  startGuest,
} from '../support/guests.ts'
import { isLong } from '../support/long.ts'
import { seedOf } from '../support/seed.ts'

const CALLS = 50_000
const MOVES = 250
/** Of languages that are interpreted, in the short form. */
const FEWER_CALLS = 5_000
const FEWER_MOVES = 100

const WHOLE: Length = { calls: CALLS, moves: MOVES }
const INTERPRETED: Length = isLong ? WHOLE : { calls: FEWER_CALLS, moves: FEWER_MOVES }

interface Length {
  readonly calls: number
  /** How many of them, about, are followed by a move into another instance. */
  readonly moves: number
}

/** Instances of one component that other actors may have used. */
class Instances {
  readonly #retired: Guest[] = []
  readonly component: Component
  readonly answers: HostAnswers
  readonly baseline: Baseline
  recycled = 0

  constructor(component: Component, answers: HostAnswers) {
    this.component = component
    this.answers = answers
    this.baseline = takeBaseline(this.start().instance.state)
  }

  start(): Guest {
    return startGuest(this.component, this.answers)
  }

  /** An instance with the state of `image`: one that did something else before, or a fresh one. */
  take(image: Image, isRecycled: boolean): Guest {
    const used = isRecycled ? this.#retired.pop() : undefined
    const fits = used !== undefined && canRestore(used.instance.state, image)
    if (fits) this.recycled += 1
    const guest = fits ? used : this.start()
    restore(guest.instance.state, this.baseline, image, !fits)
    return guest
  }

  /** Lets the instance do something else, for the next one to find. */
  retire(guest: Guest, call: Call): void {
    guest.call(...call)
    this.#retired.push(guest)
  }
}

interface Run {
  readonly moves: number
  readonly recycled: number
}

/** Throws at the first difference between the instance that never stops and the one that moves. */
async function runTwins(
  file: string,
  next: (choices: Choices) => Call,
  seed: number,
  { calls, moves: wanted }: Length,
  forgetsGlobals = false,
): Promise<Run> {
  const answers = new HostAnswers()
  const instances = new Instances(await loadComponent(componentBytes(file)), answers)
  const choices = new Choices(seed)
  const steady = instances.start()
  let moving = instances.start()
  let moves = 0
  for (let index = 0; index < calls; index++) {
    const call = next(choices)
    answers.callNumber = index
    const expected = steady.call(...call)
    expect(moving.call(...call), `seed ${seed}, call ${index}`).toEqual(expected)
    if (choices.below(calls / wanted) > 0 && index !== calls - 1) continue
    const captured = capture(moving.instance.state, instances.baseline)
    const { globals } = forgetsGlobals ? instances.baseline : captured
    const image = { ...captured, globals }
    const before = moving
    moving = instances.take(image, choices.below(2) === 0)
    instances.retire(before, next(choices))
    moves += 1
    if (forgetsGlobals) continue
    expect(hashState(moving.instance.state), `seed ${seed}, after call ${index}`).toBe(
      hashState(steady.instance.state),
    )
  }
  return { moves, recycled: instances.recycled }
}

describe('state restored into fresh and recycled instances is that of the one that never stopped', () => {
  test.each(GUESTS)('$name', async ({ name, file, next, isInterpreted }) => {
    const length = isInterpreted ? INTERPRETED : WHOLE
    const { moves, recycled } = await runTwins(file, next, seedOf(`memory, ${name}`), length)
    expect(moves).toBeGreaterThan(length.moves / 2)
    expect(recycled).toBeGreaterThan(10)
  })
})

test('without its globals, an AssemblyScript guest comes to a wrong answer or a trap', async () => {
  const seed = seedOf('memory without globals')
  await expect(runTwins('bank', bankCall, seed, WHOLE, true)).rejects.toThrow()
})
