// Aim: calls and messages between actors happen once although the receiver keeps next to nothing of its journal; and what is
// not asked for any more is cut.
// Method: TypeScript actors on a memory store. The receiver takes a snapshot after each turn and keeps what lies behind the
// newest; it goes on while a caller's turn is open, or a message not settled; then the host dies.
import { expect, test } from 'vitest'
import { Actor, memory, type Runtime, VirtualClock } from '../../../host/index.ts'
import type { StoreDriver } from '../../../host/store/store.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { macrotasks, openHost } from '../../support/host.ts'

const box = (id: string) => ({ type: 'Box', id })
const TURN_COUNT = 12

class Box extends Actor<{ notes: readonly string[] }> {
  static readonly initialState = { notes: [] }
  static isHeld = false
  static releases: (() => void)[] = []

  note(what: string): number {
    this.updateState(({ notes }) => ({ notes: [...notes, what] }))
    return this.state.notes.length
  }

  tell(to: string, what: string): void {
    this.context.send(box(to), 'note', what)
  }

  /** Its turn is open for as long as it is held; the answer of the call is in no entry until then. */
  async ask(to: string, what: string): Promise<unknown> {
    const count = await this.context.call(box(to), 'note', what)
    if (Box.isHeld) await new Promise<void>((resolve) => Box.releases.push(resolve))
    return count
  }

  notes(): readonly string[] {
    return this.state.notes
  }
}

async function open(store: StoreDriver, clock = new VirtualClock()): Promise<Runtime> {
  const limits = { snapshotIntervalTurns: 1, coolTimeoutMs: 1_000 }
  const journal = { keep: { snapshots: 1 } } as const
  const runtime = await openHost({ store, clock, limits, journal })
  await runtime.registerActorType('Box', { type: 'typescript', actorClass: Box })
  return runtime
}

async function call(runtime: Runtime, id: string, method: string, ...args: unknown[]) {
  return await (await runtime.getActor(id, 'Box')).call(method, ...args)
}

async function goOn(runtime: Runtime): Promise<void> {
  for (let turn = 0; turn < TURN_COUNT; turn++) {
    await call(runtime, 'b', 'note', 'more')
    await macrotasks(4)
  }
}

async function notesOf(runtime: Runtime): Promise<unknown> {
  const notes = (await call(runtime, 'b', 'notes')) as readonly string[]
  return notes.filter((note) => note !== 'more')
}

async function seqFirst(runtime: Runtime): Promise<number> {
  return (await runtime.describeActor('b', 'Box')).seqFirst
}

test.each([
  ['goes on in memory', async () => {}],
  ['is deactivated and activated again', (runtime: Runtime) => runtime.deactivate('b', 'Box')],
])('a call of a turn that is open when the host dies: the callee %s', async (_, then) => {
  const store = memory()
  const first = await open(store)
  Box.isHeld = true
  Box.releases = []
  const asked = call(first, 'a', 'ask', 'b', 'one')
  asked.catch(() => {})
  await expect.poll(() => Box.releases.length).toBe(1)
  await then(first)
  await goOn(first)
  expect(await seqFirst(first)).toBe(1)
  store.crash()
  Box.isHeld = false
  const second = await open(store)
  expect(await call(second, 'a', 'notes')).toEqual([])
  expect(await notesOf(second)).toEqual(['one'])
  // The turn has ended: nobody asks any more.
  await goOn(second)
  expect(await seqFirst(second)).toBeGreaterThan(TURN_COUNT)
})

test('a call of a callee that was warm, and whose journal had been cut before', async () => {
  const [store, clock] = [memory(), new VirtualClock()]
  const first = await open(store, clock)
  await goOn(first)
  const before = await seqFirst(first)
  expect(before).toBeGreaterThan(1)
  for (let second = 0; second < 5; second++) clock.advance(1_000)
  expect(await first.describeActor('b', 'Box')).toMatchObject({ tier: 'warm', seqFirst: before })
  Box.isHeld = true
  Box.releases = []
  call(first, 'a', 'ask', 'b', 'one').catch(() => {})
  await expect.poll(() => Box.releases.length).toBe(1)
  await goOn(first)
  expect(await seqFirst(first)).toBeLessThan(before + TURN_COUNT)
  store.crash()
  Box.isHeld = false
  const second = await open(store)
  expect(await call(second, 'a', 'notes')).toEqual([])
  expect(await notesOf(second)).toEqual(['one'])
})

test('a later turn of the caller keeps nothing of calls that turns before it made', async () => {
  const store = memory()
  const runtime = await open(store)
  Box.isHeld = false
  for (const what of ['one', 'two']) await call(runtime, 'a', 'ask', 'b', what)
  Box.isHeld = true
  Box.releases = []
  const asked = call(runtime, 'a', 'ask', 'c', 'three')
  await expect.poll(() => Box.releases.length).toBe(1)
  await goOn(runtime)
  expect(await seqFirst(runtime)).toBeGreaterThan(TURN_COUNT)
  for (const release of Box.releases) release()
  await asked
})

test('a message that is not settled when the host dies', async () => {
  const store = memory()
  const unsettled = alteredDriver(store, {
    store: () => ({ settleOutbox: () => new Promise(() => {}) }),
  })
  const first = await open(unsettled)
  await call(first, 'a', 'tell', 'b', 'one')
  await expect.poll(() => notesOf(first)).toEqual(['one'])
  await goOn(first)
  expect(await seqFirst(first)).toBe(1)
  store.crash()
  const second = await open(store)
  await goOn(second)
  await goOn(second)
  expect(await notesOf(second)).toEqual(['one'])
  expect(await seqFirst(second)).toBeGreaterThan(TURN_COUNT)
})
