/**
 * Aim: an actor in a recycled instance cannot be told from one in a fresh instance: not by any byte of any memory,
 * page count, global or handle, whoever had the instance before.
 *
 * Method: random actors take random turns, and lose their instance to the next one at random. Each has a twin that
 * takes the same turns in instances that are always fresh. After each turn both states are compared; each spare
 * instance is compared with one that nobody has used. Guests: the fixtures of every toolchain, one that grows its
 * memory, one that traps, one that fills its whole memory with its actor's bytes, and one that changes its table.
 */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { coolEngine, liftEngine } from '../../../host/actor/activation/warm-actor.ts'
import { InstanceStock } from '../../../host/actor/program/instance-stock.ts'
import type { ActorMethod, ActorProgram } from '../../../host/actor/program/program.ts'
import { wasmProgram } from '../../../host/actor/program/wasm-program.ts'
import type { EngineEnvironment } from '../../../host/actor/turn/turn-context.ts'
import { TurnEngine } from '../../../host/actor/turn/turn-engine.ts'
import { digestOf } from '../../../host/base/digest.ts'
import type { WitValue } from '../../../host/component/wit/wit.ts'
import { providedInterface } from '../../../host/hostcalls/provided.ts'
import { hashState } from '../../../host/image/image.ts'
import { seededRandom, VirtualClock } from '../../../host/index.ts'
import { standardInterfaces } from '../../../host/runtime/standard-interfaces.ts'
import type { ActorLog, ActorRecord } from '../../../host/store/store.ts'
import { componentBytes } from '../../support/components.ts'
import { choices, seedOf } from '../../support/seed.ts'

const ACTOR_COUNT = 6
const STEP_COUNT = 400
const SPARE_COUNT_MAX = 3

type Choose = (count: number) => number
type Turn = readonly [method: string, ...args: WitValue[]]

interface Guest {
  readonly name: string
  readonly bytes: () => Promise<Uint8Array> | Uint8Array
  readonly turn: (choose: Choose) => Turn
  /** Whether instances can pass from actor to actor: not when instantiation asks the host for something. */
  readonly recycles: boolean
}

const fixture = (name: string) => () => componentBytes(name)
const word = (choose: Choose): string => 'x'.repeat(choose(300)) + choose(50)

/** Writes the same number over all of its memory and its global; may grow by a page. */
const SCRIBBLER = `(component
  (core module $m (memory (export "memory") 2 4) (global $last (mut i64) (i64.const 7))
    (data (i32.const 65530) "baseline over the border of a page")
    (func (export "scribble") (param $with i64) (local $at i32)
      (global.set $last (local.get $with))
      (loop $next
        (i64.store (local.get $at) (local.get $with))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536))))))
    (func (export "poke") (param $at i32) (param $with i32)
      (i32.store8 (local.get $at) (local.get $with)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "scribble") (param "with" u64) (canon lift (core func $i "scribble")))
  (func (export "poke") (param "at" u32) (param "with" u32) (canon lift (core func $i "poke")))
  (func (export "grow") (result s32) (canon lift (core func $i "grow"))))`

/** Changes its table, and may grow it. */
const SWITCHER = `(component
  (core module $m (type $f (func (result i32)))
    (table $t 4 6 funcref) (elem (i32.const 0) func $zero $one $zero) (elem declare func $two)
    (func $zero (result i32) (i32.const 0)) (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (func (export "switch") (param $at i32) (param $with i32)
      (table.set $t (local.get $at) (if (result funcref) (i32.eqz (local.get $with)) (then (ref.null func))
        (else (if (result funcref) (i32.eq (local.get $with) (i32.const 1)) (then (ref.func $one)) (else (ref.func $two)))))))
    (func (export "ask") (param $at i32) (result i32) (call_indirect $t (type $f) (local.get $at)))
    (func (export "grow") (result i32) (table.grow $t (ref.func $two) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "switch") (param "at" u32) (param "with" u32) (canon lift (core func $i "switch")))
  (func (export "ask") (param "at" u32) (result u32) (canon lift (core func $i "ask")))
  (func (export "grow") (result s32) (canon lift (core func $i "grow"))))`

const GUESTS: readonly Guest[] = [
  {
    name: 'counter',
    bytes: fixture('counter'),
    turn: (choose) => (choose(4) === 0 ? ['value'] : ['increment', choose(1_000)]),
    recycles: true,
  },
  {
    name: 'quoter',
    bytes: fixture('quoter'),
    turn: (choose) => (choose(3) === 0 ? ['offers'] : ['offer', word(choose), choose(9)]),
    recycles: true,
  },
  {
    name: 'faulty',
    bytes: fixture('faulty'),
    turn: (choose) => {
      const turns: readonly Turn[] = [
        ['add', choose(99)],
        ['hoard', 1 + choose(90)],
        ['random'],
        ['add-then-unreachable', choose(99)],
        ['state'],
      ]
      return turns[choose(turns.length)] ?? ['state']
    },
    recycles: true,
  },
  {
    name: 'rust-std',
    bytes: fixture('rust-std'),
    turn: (choose) => {
      const turns: readonly Turn[] = [
        ['count', word(choose)],
        ['words'],
        ['print', word(choose), choose(2) === 0],
        ['now'],
        ['surroundings'],
        ['fail', word(choose)],
      ]
      return turns[choose(turns.length)] ?? ['now']
    },
    recycles: true,
  },
  {
    name: 'libc',
    bytes: fixture('libc'),
    turn: (choose) => {
      const turns: readonly Turn[] = [['count', word(choose)], ['seed'], ['now'], ['surroundings']]
      return turns[choose(turns.length)] ?? ['now']
    },
    recycles: false,
  },
  {
    name: 'scribbler',
    bytes: () => parse(SCRIBBLER),
    turn: (choose) => {
      const what = choose(40)
      if (what === 0) return ['grow']
      if (what < 25) return ['poke', choose(2 * 65_536), choose(256)]
      return ['scribble', BigInt(choose(2 ** 31)) << 32n]
    },
    recycles: true,
  },
  {
    name: 'switcher',
    bytes: () => parse(SWITCHER),
    turn: (choose) => {
      const what = choose(40)
      if (what === 0) return ['grow']
      return what < 25 ? ['switch', choose(4), choose(3)] : ['ask', choose(4)]
    },
    recycles: true,
  },
]

class CountingStock extends InstanceStock {
  takenCount = 0

  override take(program: object): ReturnType<InstanceStock['take']> {
    const spare = super.take(program)
    if (spare !== undefined) this.takenCount++
    return spare
  }
}

async function programOf(guest: Guest, stock?: InstanceStock): Promise<ActorProgram> {
  const bytes = await guest.bytes()
  const interfaces = standardInterfaces()
  const quotes = { latest: (symbol: WitValue) => String(symbol).length }
  interfaces.add('acme:pricing/quotes', providedInterface('acme:pricing/quotes', quotes))
  const options = { bytes, digest: digestOf(bytes), interfaces, checkImports: true, parks: false }
  const program = await wasmProgram(stock === undefined ? options : { ...options, stock })
  return program.withLimits({})
}

/** One actor in instances of one program; `lift` and `cool` as the pool does. */
class Subject {
  readonly #program: ActorProgram
  readonly #environment: EngineEnvironment
  readonly #record: ActorRecord
  #engine: TurnEngine | null = null
  #warm: ReturnType<typeof coolEngine> | null = null

  constructor(program: ActorProgram, index: number) {
    const key = { type: 'T', id: `actor-${'i'.repeat(index)}` }
    this.#program = program
    this.#record = { ...key, incarnation: `life-${index}`, digest: program.digest, createdAtMs: 0 }
    this.#environment = {
      key,
      incarnation: this.#record.incarnation,
      clock: new VirtualClock(1_000 * index),
      random: seededRandom(index + 1),
      log: () => {},
      parkedTurns: null,
      ports: null,
    }
  }

  get isHot(): boolean {
    return this.#engine !== null
  }

  #hot(): TurnEngine {
    if (this.#engine !== null) return this.#engine
    this.#engine =
      this.#warm === null
        ? TurnEngine.startLive(this.#program, this.#environment).engine
        : liftEngine(this.#warm, this.#environment)
    return this.#engine
  }

  /** Takes a turn; after a failed one, a new instance has the state before it. */
  turn([name, ...args]: Turn): unknown {
    const method = this.#program.findMethod(name) as ActorMethod
    const engine = this.#hot()
    const before = this.#capture(engine)
    const head = { method, args: method.check(args), idempotencyKey: null, caller: null }
    const step = engine.runLive({ ...head, open: () => {} })
    if (step instanceof Promise || step.kind !== 'finished') throw new Error('turns end at once')
    if (engine.spoiled) {
      engine.release()
      this.#engine = null
      this.#warm = before
    }
    return [step.outcome, step.calls, step.effects]
  }

  #capture(engine: TurnEngine): ReturnType<typeof coolEngine> {
    const log = {} as ActorLog
    const place = { record: this.#record, seqNext: 1, snapshotSeq: 0 }
    return coolEngine(engine, { log, program: this.#program }, place)
  }

  cool(): void {
    if (this.#engine === null) return
    this.#warm = this.#capture(this.#engine)
    this.#engine.release()
    this.#engine = null
  }

  stateHash(): string {
    return this.#hot().stateHash()
  }
}

/** The state of an instance that nobody has used, and of all that wait in the stock. */
function expectClean(stock: InstanceStock, program: object, clean: string): void {
  const spares = []
  for (let spare = stock.take(program); spare !== undefined; spare = stock.take(program))
    spares.push(spare)
  for (const spare of spares) {
    expect(hashState(spare.instance.state)).toBe(clean)
    stock.put(program, spare)
  }
}

describe.each(GUESTS)('recycled instances of $name', (guest) => {
  test('are as fresh ones after random turns of random actors', async () => {
    const choose = choices(seedOf(`recycled instances of ${guest.name}`))
    const stock = new CountingStock(SPARE_COUNT_MAX)
    const program = await programOf(guest, stock)
    const freshProgram = await programOf(guest)
    const fresh = new InstanceStock(1)
    const cleanProgram = await programOf(guest, fresh)
    const clean = new Subject(cleanProgram, 0)
    clean.stateHash()
    clean.cool()
    const untouched = fresh.take(cleanProgram)
    const cleanHash = untouched === undefined ? '' : hashState(untouched.instance.state)
    const recycled = Array.from({ length: ACTOR_COUNT }, (_, index) => new Subject(program, index))
    const twins = Array.from(
      { length: ACTOR_COUNT },
      (_, index) => new Subject(freshProgram, index),
    )
    for (let step = 0; step < STEP_COUNT; step++) {
      const index = choose(ACTOR_COUNT)
      const [actor, twin] = [recycled[index] as Subject, twins[index] as Subject]
      if (choose(3) === 0) {
        actor.cool()
        const before = stock.takenCount
        expectClean(stock, program, cleanHash)
        stock.takenCount = before
        continue
      }
      const turn = guest.turn(choose)
      expect([step, turn, actor.turn(turn)]).toEqual([step, turn, twin.turn(turn)])
      expect([step, turn, actor.stateHash()]).toEqual([step, turn, twin.stateHash()])
    }
    if (guest.recycles) expect(stock.takenCount).toBeGreaterThan(0)
    else expect(stock.takenCount).toBe(0)
  }, 60_000)
})
