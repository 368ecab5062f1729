// Aim: what a stranger's call, component or class does harms nobody else and never the host. Method: the
// memory store, and calls that are too large, fail for ever or never end.
import { describe, expect, test } from 'vitest'
import { driveAwaitingTurn } from '../../../host/actor/activation/awaiting-turn.ts'
import type { ActorMethod } from '../../../host/actor/program/program.ts'
import type { TurnEngine } from '../../../host/actor/turn/turn-engine.ts'
import { LoomError } from '../../../host/base/errors.ts'
import { Recorder } from '../../../host/hostcalls/recorder.ts'
import { Suspension } from '../../../host/hostcalls/suspension.ts'
import { Actor, fsBlobs, memory, openInspector, VirtualClock } from '../../../host/index.ts'
import { openComponentHost } from '../../support/components.ts'
import { damagingDriver } from '../../support/damaging-driver.ts'
import { errorOf, isPending, openHost, temporaryFolder } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

const tooLong = 'x'.repeat(9 * 1024 * 1024)

describe('a call that is too large to be journaled', () => {
  test('is refused before it runs, with a key or without, and nothing of it stays', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    for (const idempotencyKey of [undefined, 'k1']) {
      const key = idempotencyKey === undefined ? {} : { idempotencyKey }
      const call = ledger.execute({ method: 'add', args: [tooLong], ...key })
      expect(await errorOf(call)).toMatchObject({
        code: 'ERR_OPTION',
        message: expect.stringMatching(
          /^Ledger\/a: arguments of add take \d+ bytes: at most 8388608/,
        ),
      })
    }
    expect(await ledger.call('total')).toBe(1)
  })

  test('is refused as the first call of an actor as well, which stays uncreated', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    expect(await errorOf(ledger.call('add', tooLong))).toMatchObject({ code: 'ERR_OPTION' })
    expect(await errorOf(runtime.describeActor('a', 'Ledger'))).toMatchObject({
      code: 'ERR_ACTOR_UNKNOWN',
    })
    expect(await ledger.call('add', 2)).toBe(2)
  })

  test('by what its host calls returned fails alone, open or not', async () => {
    const asked = { kind: 'awaiting', target: 'a:b/c#d', args: [] } as const
    const suspension = new Suspension(asked, () => Promise.resolve(1))
    const tooLarge = new LoomError('ERR_OPTION', 'a journal entry of 17000000 bytes')
    const turn = {
      method: {} as ActorMethod,
      args: [],
      idempotencyKey: null,
      caller: null,
      open: () => {},
    }
    const step = {
      kind: 'suspended',
      calls: [],
      invocationId: null,
      suspension,
      parked: null,
    } as const
    const port = {
      journal: () => {
        throw tooLarge
      },
      check: () => {},
      rebuild: () => Promise.reject<TurnEngine>(new Error('not asked for')),
    }
    const outcome = { kind: 'failed', code: 'ERR_OPTION', message: tooLarge.message }
    const first = await driveAwaitingTurn(port, turn, step)
    expect(first).toMatchObject({ calls: [], outcome })
    const call = { target: 't', argsHash: 0, result: 1 }
    const second = await driveAwaitingTurn(port, turn, { ...step, calls: [call] })
    expect(second).toMatchObject({ calls: [call], outcome })
  })
})

describe('a guest that fails for ever', () => {
  test('is not rebuilt from an ever longer journal', async () => {
    let readCount = 0
    const rewrite = (row: { bytes: Uint8Array }): Uint8Array => {
      readCount++
      return row.bytes
    }
    const store = damagingDriver(memory(), 'a', { rewrite })
    const runtime = await openComponentHost({ store, limits: { snapshotIntervalTurns: 10 } })
    const faulty = await runtime.getActor('a', 'Faulty')
    for (let turn = 0; turn < 100; turn++)
      expect(await errorOf(faulty.call('addThenUnreachable', 1))).toMatchObject({
        code: 'ERR_TRAP',
      })
    expect(readCount).toBeLessThan(100 * 12)
  })

  test('cannot fill journal and replies with its last words', async () => {
    const runtime = await openComponentHost()
    const faulty = await runtime.getActor('a', 'Faulty')
    const error = await errorOf(faulty.call('addThenAbort', 1, 'w'.repeat(1_000_000)))
    expect(error.code).toBe('ERR_TRAP')
    expect(error.message.length).toBeLessThan(17_000)
  })
})

describe('a turn that waits for ever', () => {
  test('does not hold up the shutdown; the next host runs it to its end', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const clock = new VirtualClock()
    const never = { latest: () => new Promise<number>(() => {}) }
    const first = await openComponentHost({ store, blobs, clock }, never)
    const quoter = await first.getActor('anna', 'Quoter')
    const offer = { method: 'offer', args: ['LOOM', 2], idempotencyKey: 'k1' }
    const call = errorOf(quoter.execute(offer))
    const behind = errorOf(quoter.call('offers'))
    expect(await isPending(call)).toBe(true)
    const closed = first.close()
    expect(await isPending(closed)).toBe(true)
    clock.advance(5_000)
    await closed
    expect(await call).toMatchObject({
      code: 'ERR_CLOSING',
      message: expect.stringContaining('ask again with its idempotency key'),
    })
    expect(await behind).toMatchObject({ code: 'ERR_CLOSING' })
    const second = await openComponentHost({ store, blobs }, { latest: () => 7 })
    const again = await second.getActor('anna', 'Quoter')
    expect(await again.execute(offer)).toMatchObject({ tag: 'ok', val: { total: 14 } })
    expect(await again.call('offers')).toHaveLength(1)
  })
})

describe('a mailbox that filled up while a turn waited', () => {
  test('is worked off in slices, in order, while other actors have their time', async () => {
    const runtime = await openHost()
    const busy = await runtime.getActor('busy', 'Ledger')
    const other = await runtime.getActor('other', 'Ledger')
    const first = busy.call('addSlowly', 0)
    const totals = Array.from({ length: 2_000 }, () => busy.call('add', 1))
    await isPending(first)
    Ledger.waits.splice(0).forEach((release) => {
      release()
    })
    const ended: string[] = []
    const last = totals.at(-1)?.then(() => ended.push('last'))
    await new Promise((resolve) => setImmediate(resolve))
    await other.call('add', 1).then(() => ended.push('other'))
    await last
    expect(ended).toEqual(['other', 'last'])
    expect(await Promise.all(totals)).toEqual(totals.map((_, index) => index + 1))
  })
})

class Notes extends Actor<{ notes: unknown[] }> {
  static readonly initialState = { notes: [] }
  seen = 0

  note(value: unknown): unknown {
    this.seen++
    this.updateState(({ notes }) => ({ notes: [...notes, value] }))
    return `${typeof value} ${JSON.stringify(value)} ${String(value)} ${this.seen}`
  }
}

describe('a TypeScript actor', () => {
  test('sees live what its replay sees, whatever it is given and wherever a crash falls', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const types = { Notes: { type: 'typescript', actorClass: Notes } } as const
    const given = [
      '\ud800',
      new Map([['a', 1]]),
      JSON.parse('{"constructor":1}'),
      -0,
      Buffer.from('b'),
    ]
    for (let round = 0; round < 3; round++) {
      const runtime = await openHost({ store, blobs, limits: { snapshotIntervalTurns: 4 } })
      await runtime.registerActorType('Notes', types.Notes)
      const notes = await runtime.getActor('a', 'Notes')
      for (const [index, value] of given.entries()) {
        const call = { method: 'note', args: [value], idempotencyKey: `k${index}` }
        const answer = await notes.execute(call)
        expect(await notes.execute(call)).toEqual(answer)
      }
      for (const refused of [Symbol('not plain'), JSON.parse('{"__proto__":1}')])
        expect(await errorOf(notes.call('note', refused))).toMatchObject({
          code: 'ERR_ARGUMENT_TYPE',
        })
      store.crash()
    }
    const inspector = await openInspector({ store, blobs, types })
    const report = await inspector.replay({ type: 'Notes', id: 'a' })
    expect(report).toMatchObject({ turns: given.length, snapshotsCompared: 1 })
  })
})

describe('a component that asks who it is while it is instantiated', () => {
  test('gets a baseline of its own, also when it asks for nothing recorded', () => {
    const recorder = new Recorder()
    recorder.beginLive()
    expect(recorder.quiet).toBe(true)
    recorder.callPure('loom:actor/context#self', () => 'a')
    expect(recorder.quiet).toBe(false)
  })
})
