// Aim: a program with a standard library is an actor like any other: what it asks of WASI is answered, and
// recorded where it must be, so that its memory is the same live and replayed, past crashes and snapshots.
// Method: a Rust component (test/fixtures/guests/rust-std) on the memory store.
import { describe, expect, test } from 'vitest'
import {
  fsBlobs,
  type LogLine,
  memory,
  openInspector,
  type Runtime,
  type RuntimeOptions,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { openGuest } from '../support/components.ts'
import { errorOf, isPending, temporaryFolder } from '../support/host.ts'

const openRust = (options?: Partial<RuntimeOptions>): Promise<Runtime> =>
  openGuest('Rust', 'rust-std', options)

function collect(): { lines: string[]; log: (line: LogLine) => void } {
  const lines: string[] = []
  return { lines, log: ({ level, message }) => lines.push(`${level} ${message}`) }
}

const WORDS = ['ape', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen']

describe('a Rust program with its standard library', () => {
  test('prints to the log, line by line, and finds no surroundings', async () => {
    const { lines, log } = collect()
    const rust = await (await openRust({ log })).getActor('r', 'Rust')
    expect(await rust.call('count', 'ape')).toBe(1)
    await rust.call('print', 'half a line', false)
    await rust.call('print', 'two\nlines', true)
    expect(lines).toEqual(['info ape: 1', 'info half a line', 'error two', 'error lines'])
    expect(await rust.call('surroundings')).toMatch(
      /^vars \[\], args \[\], stdin Ok\(0\), file Err/,
    )
  })

  test('sees time and randomness of the host, recorded', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const clock = new VirtualClock(5_000_000)
    const runtime = await openRust({ store, blobs, clock, random: seededRandom(1) })
    const rust = await runtime.getActor('r', 'Rust')
    expect(await rust.call('now')).toBe(5_000n)
    const other = await runtime.getActor('other', 'Rust')
    for (const word of WORDS) {
      await rust.call('count', word)
      await other.call('count', word)
    }
    expect(await rust.call('words')).not.toBe(await other.call('words'))
  })

  test('has the same memory live, after a crash and replayed from the first entry', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const { lines, log } = collect()
    const options = { store, blobs, log, limits: { snapshotIntervalTurns: 5 } }
    const first = await openRust(options)
    const rust = await first.getActor('r', 'Rust')
    for (const word of [...WORDS, ...WORDS]) await rust.call('count', word)
    const words = await rust.call('words')
    const { stateHash, seqNext } = await first.describeActor('r', 'Rust')
    expect(lines).toHaveLength(16)
    store.crash()
    const second = await openRust(options)
    expect(await second.describeActor('r', 'Rust')).toMatchObject({ stateHash, seqNext })
    const again = await second.getActor('r', 'Rust')
    expect(await again.call('words')).toBe(words)
    expect(await again.call('count', 'ape')).toBe(3)
    expect(lines).toHaveLength(17)
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Rust', id: 'r' })
    expect(report).toMatchObject({ turns: 19, failed: 0 })
    expect(report.stateHash).toBe((await second.describeActor('r', 'Rust')).stateHash)
    expect(report.snapshotsCompared).toBeGreaterThanOrEqual(3)
  })

  test('that panics has not happened, and its caller is told what it said', async () => {
    const rust = await (await openRust()).getActor('r', 'Rust')
    await rust.call('count', 'ape')
    const error = await errorOf(rust.call('fail', 'no more apes'))
    expect(error).toMatchObject({ code: 'ERR_TRAP' })
    expect(error.message).toMatch(/unreachable: .*panicked at .*lib\.rs:\d+:\d+: \/ no more apes/)
    expect(await rust.call('count', 'ape')).toBe(2)
  })

  test('that ends its process has not happened either', async () => {
    const rust = await (await openRust()).getActor('r', 'Rust')
    expect(await errorOf(rust.call('leave', 3))).toMatchObject({
      code: 'ERR_TRAP',
      message: 'the guest ended its program with failure',
    })
    expect(await rust.call('count', 'ape')).toBe(1)
  })

  test('sleeps without its instance, and goes on when its time has come, past a crash', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const clock = new VirtualClock(1_000_000)
    const first = await openRust({ store, blobs, clock })
    const rust = await first.getActor('r', 'Rust')
    await rust.call('count', 'ape')
    const sleeping = { method: 'sleep', args: [1_000], idempotencyKey: 'nap' }
    const lost = rust.execute(sleeping)
    lost.catch(() => {})
    expect(await isPending(lost)).toBe(true)
    clock.advance(400)
    store.crash()
    const second = await openRust({ store, blobs, clock })
    const again = (await second.getActor('r', 'Rust')).execute(sleeping)
    expect(await isPending(again)).toBe(true)
    clock.advance(600)
    expect(await again).toBe(1_000n)
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Rust', id: 'r' })
    expect(report.stateHash).toBe((await second.describeActor('r', 'Rust')).stateHash)
  })
})
