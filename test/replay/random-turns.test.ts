// Aim: replay equals live, in every byte of memory, every global, table and handle, after every single turn, for every
// committed component. Method: random calls of every method, with random answers of the embedder, some of them
// awaited; limits so small that many turns fail; crashes in between. The state is hashed after each turn; then the
// journal is replayed from its first entry, and hashed after each turn again.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readCreated } from '../../host/actor/journal/recovery.ts'
import { TurnReader } from '../../host/actor/journal/turn-reader.ts'
import type { ActorMethod } from '../../host/actor/program/program.ts'
import { wasmProgram } from '../../host/actor/program/wasm-program.ts'
import { TurnEngine } from '../../host/actor/turn/turn-engine.ts'
import { digestOf } from '../../host/base/digest.ts'
import type { Component } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import type { WitFunction, WitType, WitValue } from '../../host/component/wit/wit.ts'
import {
  fsBlobs,
  memory,
  type ProvidedInterface,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { standardInterfaces } from '../../host/runtime/standard-interfaces.ts'
import { openHost, temporaryFolder } from '../support/host.ts'
import { isLong, times } from '../support/long.ts'
import { resourceComponent } from '../support/resource-component.ts'
import { seedOf } from '../support/seed.ts'
import { holdsType, valueArbitrary } from '../support/wit-arbitrary.ts'

const seed = seedOf('random turns')
const TURNS_TOTAL = isLong ? Math.max(100_000, times(2_000)) : 2_000
const TURNS_PER_LIFE = 40
/** Enough for every honest turn, and little enough for endless ones; all of the memory is hashed, twice a turn. */
const LIMITS = { fuelPerTurn: 3_000_000, memoryPagesMax: 32, resultBytesMax: 2 ** 20 }
const KEY = { type: 'Random', id: 'r' }

const FOLDERS = [
  'components',
  'components/conformance',
  'journals/v1',
  'journals/v1-awaiting',
  'journals/v2',
]
const files = FOLDERS.flatMap((folder) =>
  readdirSync(`test/fixtures/${folder}`)
    .filter((file) => file.endsWith('.wasm'))
    .map((file) => path.join('test/fixtures', folder, file)),
)
const HANDLES = 'handles'
/** Passes handles only, which callers from outside cannot; the component HANDLES stands in for it. */
const UNCALLABLE = new Set(['test/fixtures/components/conformance/resources.wasm'])
const names = [...files.filter((file) => !UNCALLABLE.has(file)), HANDLES]
const turnsEach = Math.ceil(TURNS_TOTAL / names.length)

const isHandle = ({ kind }: WitType): boolean => kind === 'own' || kind === 'borrow'
const passesHandles = ({ params, result }: WitFunction): boolean =>
  [...params.map(({ type }) => type), ...(result === null ? [] : [result])].some((type) =>
    holdsType(type, isHandle),
  )

const SLEEP_MAX_MS = 5_000

/** Arguments that are a matter of time, not of value. */
const SMALL: Readonly<Record<string, fc.Arbitrary<readonly WitValue[]>>> = {
  hoard: fc.tuple(fc.nat(300)),
  sleep: fc.tuple(fc.nat(SLEEP_MAX_MS)),
  // Counts down before it compares: 0 would be 2^32 questions, each of which runs the turn again.
  many: fc.tuple(fc.string({ maxLength: 9 }), fc.integer({ min: 1, max: 4 })),
}

/** Of the courier: other actors, whose turns call none of this one's, so that its turns are those of the test alone. */
const dealing = fc.tuple(
  fc.constantFrom(KEY.type, 'Nothing'),
  fc.constantFrom('o', 'p'),
  fc.constantFrom('keep', 'lose', 'calls', 'ask', 'tell', 'nothing'),
  fc.constantFrom('[]', '["a"]', '["a","b"]', `["${KEY.type}","q","calls","[]"]`, 'no JSON'),
)

/** Handles that exist at times, and others. */
const small = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.nat(2_000))

function argumentsOf(file: string, { name, params }: WitFunction): fc.Arbitrary<unknown[]> {
  if (file === HANDLES) return fc.tuple(...params.map(() => small)) as fc.Arbitrary<unknown[]>
  if (file.includes('courier') && params.length === 4) return dealing
  const chosen = SMALL[name]
  if (chosen !== undefined && (name !== 'many' || file.includes('waiter')))
    return chosen as fc.Arbitrary<unknown[]>
  return fc.tuple(...params.map(({ type }) => valueArbitrary(type))) as fc.Arbitrary<unknown[]>
}

/** Draws values, one after the other, from one seed. */
class Draws {
  readonly #values: Iterator<number>

  constructor(from: number) {
    const random = seededRandom(from)
    this.#values = (function* () {
      for (;;) for (const word of new Uint32Array(random.bytes(256).slice().buffer)) yield word
    })()
  }

  below(count: number): number {
    return (this.#values.next().value as number) % count
  }

  value<T>(arbitrary: fc.Arbitrary<T>): T {
    const [value] = fc.sample(arbitrary, { numRuns: 1, seed: this.below(2 ** 31) })
    return value as T
  }
}

/** An embedder that answers anything, in time or later; handles are numbers of its own. */
function randomAnswers(draws: Draws, functions: readonly WitFunction[]): ProvidedInterface {
  const answers = functions.map(({ name, result }) => {
    const isNumber = result === null || holdsType(result, isHandle)
    const values = isNumber ? fc.nat(99) : valueArbitrary(result)
    const draw = (): WitValue => (result === null ? undefined : draws.value(values))
    const plain = (): unknown => (draws.below(12) === 0 ? Promise.resolve(draw()) : draw())
    const later = async (): Promise<unknown> => draw()
    const isPlain = name !== 'ask' || draws.below(2) === 0
    return [name, name.startsWith('[') ? draw : isPlain ? plain : later] as const
  })
  return Object.fromEntries(answers) as ProvidedInterface
}

interface Counts {
  returned: number
  failed: number
  opened: number
}
const counts: Counts = { returned: 0, failed: 0, opened: 0 }

class Subject {
  readonly store = memory()
  readonly blobs = fsBlobs(temporaryFolder())
  #clock = new VirtualClock()
  readonly #bytes: Uint8Array
  readonly component: Component
  readonly draws: Draws

  constructor(bytes: Uint8Array, component: Component, draws: Draws) {
    this.#bytes = bytes
    this.component = component
    this.draws = draws
  }

  /** Another host, once the one before is dead: whose timers no clock runs any more. */
  async open(): Promise<Runtime> {
    this.#clock = new VirtualClock(this.#clock.wallMs())
    const limits = { snapshotIntervalTurns: 16 }
    const { store, blobs, draws } = this
    const random = seededRandom(draws.below(2 ** 31))
    const runtime = await openHost({ store, blobs, limits, clock: this.#clock, random })
    const standard = standardInterfaces()
    for (const { name, functions } of this.component.imports)
      if (functions.some((func) => standard.answer(name, func) === undefined))
        runtime.provide(name, randomAnswers(draws, functions))
    const component = this.#bytes
    await runtime.registerActorType(KEY.type, { type: 'wasm', component, limits: LIMITS })
    return runtime
  }

  /** Some sleep, as long as they are told: time flies then. */
  async #settled(turn: Promise<unknown>): Promise<void> {
    let isSettled = false
    const note = (): void => {
      isSettled = true
    }
    turn.then(note, note)
    for (let step = 0; !isSettled; step++) {
      if (step > 10) this.#clock.advance(SLEEP_MAX_MS)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await turn
  }

  /** A turn, which may fail as a turn may. */
  async turn(runtime: Runtime, method: ActorMethod, args: readonly unknown[]): Promise<void> {
    this.#clock.advance(this.draws.below(5_000))
    const actor = await runtime.getActor(KEY.id, KEY.type)
    try {
      await this.#settled(actor.call(method.name, ...args))
      counts.returned++
    } catch (error) {
      const { code } = error as { code?: string }
      expect(['ERR_TRAP', 'ERR_FUEL', 'ERR_HOST_CALL'], String(error)).toContain(code)
      counts.failed++
    }
  }
}

/** The hash after each turn of the journal, by the seq behind it. */
async function replayHashes(subject: Subject, bytes: Uint8Array): Promise<Map<number, string>> {
  const interfaces = standardInterfaces()
  const digest = digestOf(bytes)
  const program = await wasmProgram({
    bytes,
    digest,
    interfaces,
    checkImports: false,
    parks: false,
  })
  const store = await subject.store.open({ readOnly: true, wallMs: () => 0 })
  const log = await store.openLog(KEY)
  const { record, seqNext } = log
  if (record === null) throw new Error('there is no journal')
  const environment = {
    key: KEY,
    incarnation: record.incarnation,
    clock: new VirtualClock(),
    random: seededRandom(1),
    log: () => {},
    parkedTurns: null,
    ports: null,
  }
  const created = await readCreated({ log, record })
  const engine = TurnEngine.startReplay(program, environment, created.calls)
  const hashes = new Map<number, string>()
  await new TurnReader(log, 1, seqNext).each(async (seq, seqAfter, entry) => {
    const method = program.findMethod(entry.method)
    if (method === undefined) throw new Error(`no method ${entry.method}`)
    await engine.replay(seq, entry, method)
    hashes.set(seqAfter, engine.stateHash())
    if (seqAfter > seq + 1) counts.opened++
  })
  return hashes
}

describe(`the state after each of ${turnsEach} random turns (LOOM_SEED=${seed})`, () => {
  afterAll(() => {
    process.stderr.write(`random turns: ${JSON.stringify(counts)}\n`)
    // Where only some were run, they may not have met everything.
    if (counts.returned + counts.failed < turnsEach * names.length) return
    expect(Math.min(counts.failed, counts.opened)).toBeGreaterThan(0)
    expect(counts.returned).toBeGreaterThan(TURNS_TOTAL / 3)
  })

  test.each(names)(
    'is the same live and replayed: %s',
    async (file) => {
      const bytes = file === HANDLES ? await parse(resourceComponent('', '')) : readFileSync(file)
      const component = await loadComponent(bytes)
      const draws = new Draws(seed + names.indexOf(file))
      const subject = new Subject(bytes, component, draws)
      const { methods } = await wasmProgram({
        bytes,
        digest: digestOf(bytes),
        interfaces: standardInterfaces(),
        checkImports: false,
        parks: false,
      })
      const callable = component.exports
        .map(({ func }, index) => ({ func, method: methods[index] as ActorMethod }))
        .filter(({ func }) => !passesHandles(func))
        .map(({ func, method }) => ({ method, args: argumentsOf(file, func) }))
      expect(callable.length, file).toBeGreaterThan(0)
      const live = new Map<number, string>()
      let runtime = await subject.open()
      for (let turn = 0; turn < turnsEach; turn++) {
        if (turn % TURNS_PER_LIFE === TURNS_PER_LIFE - 1) {
          subject.store.crash()
          runtime = await subject.open()
        }
        const chosen = callable[draws.below(callable.length)]
        if (chosen === undefined) throw new Error('unreachable')
        await subject.turn(runtime, chosen.method, draws.value(chosen.args))
        const { seqNext, stateHash } = await runtime.describeActor(KEY.id, KEY.type)
        live.set(seqNext, stateHash)
      }
      expect(live.size).toBe(turnsEach)
      expect(await replayHashes(subject, bytes)).toEqual(live)
    },
    isLong ? 3_600_000 : 120_000,
  )
})
