// Aim: a message that a host of a former build delivered under the id of that build, and did not settle before it died, is
// run once; another message at its place is run as well.
// Method: TypeScript actors on a memory store. The first host settles nothing, and what its receivers journal is given the
// former ids on its way to the store; the next host is as it is.
import { expect, test } from 'vitest'
import { encodeMessage } from '../../../host/actor/turn/message.ts'
import { Actor, memory, type Runtime } from '../../../host/index.ts'
import { decodeEntry, encodeEntry } from '../../../host/journal/codec.ts'
import type { ActorLog, Commit, StoreDriver } from '../../../host/store/store.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { openHost } from '../../support/host.ts'

const box = (id: string) => ({ type: 'Box', id })

class Box extends Actor<{ notes: readonly string[] }> {
  static readonly initialState = { notes: [] }
  static isHeld = false

  tell(to: string, method: string, whats: readonly string[]): void {
    for (const what of whats) this.context.send(box(to), method, what)
  }

  note(what: string): void {
    this.updateState(({ notes }) => ({ notes: [...notes, what] }))
  }

  /** Its turn is journaled as open while it waits. */
  async noteSlowly(what: string): Promise<void> {
    await this.context.call(box('other'), 'hold')
    this.note(what)
  }

  async hold(): Promise<void> {
    if (Box.isHeld) await new Promise(() => {})
  }

  notes(): readonly string[] {
    return this.state.notes
  }
}

const formerId = (key: string): string => key.replace(/^(@loom\/send\/[^/]+\/\d+\/\d+)\/.+$/, '$1')

function asFormer(commit: Commit): Commit {
  const entries = commit.entries.map((bytes, index) => {
    const seq = commit.seq + index
    const entry = decodeEntry(seq, bytes)
    if (entry.kind !== 'turn' && entry.kind !== 'opened') return bytes
    const { idempotencyKey: key } = entry
    return encodeEntry(seq, { ...entry, idempotencyKey: key === null ? null : formerId(key) })
  })
  const idempotency = commit.idempotency?.map((row) => ({ ...row, key: formerId(row.key) }))
  return { ...commit, entries, ...(idempotency && { idempotency }) }
}

const formerBuild = (inner: StoreDriver): StoreDriver =>
  alteredDriver(inner, {
    store: (opened) => ({
      settleOutbox: () => new Promise(() => {}),
      openLog: async (key) => {
        const log = await opened.openLog(key)
        const append: ActorLog['append'] = (commit) => log.append(asFormer(commit))
        return new Proxy(log, {
          get(target, property) {
            if (property === 'append') return append
            const value = Reflect.get(target, property) as unknown
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      },
    }),
  })

async function open(store: StoreDriver): Promise<Runtime> {
  const runtime = await openHost({ store })
  await runtime.registerActorType('Box', { type: 'typescript', actorClass: Box })
  return runtime
}

async function call(runtime: Runtime, id: string, method: string, ...args: unknown[]) {
  return await (await runtime.getActor(id, 'Box')).call(method, ...args)
}

async function leftIn(store: ReturnType<typeof memory>): Promise<number> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  return (await reader.outbox(null, 100)).length
}

async function openIn(store: ReturnType<typeof memory>): Promise<boolean> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  for await (const { id } of reader.openTurns()) if (id === 'b') return true
  return false
}

test('what was delivered under a former id is settled, and not run again', async () => {
  const store = memory()
  const first = await open(formerBuild(store))
  await call(first, 'a', 'tell', 'b', 'note', ['one', 'two'])
  await expect.poll(() => call(first, 'b', 'notes')).toEqual(['one', 'two'])
  store.crash()
  const second = await open(store)
  await call(second, 'a', 'tell', 'b', 'note', ['three'])
  await expect.poll(() => leftIn(store)).toBe(0)
  expect(await call(second, 'b', 'notes')).toEqual(['one', 'two', 'three'])
})

test('a turn that was begun under a former id and cut off is the message: it goes on once', async () => {
  const store = memory()
  const first = await open(formerBuild(store))
  Box.isHeld = true
  await call(first, 'a', 'tell', 'b', 'noteSlowly', ['one'])
  await expect.poll(() => openIn(store)).toBe(true)
  store.crash()
  Box.isHeld = false
  const second = await open(store)
  await expect.poll(() => leftIn(store)).toBe(0)
  expect(await call(second, 'b', 'notes')).toEqual(['one'])
})

test('another message at the place of one that was delivered under a former id is delivered', async () => {
  const store = memory()
  const first = await open(formerBuild(store))
  await call(first, 'a', 'tell', 'b', 'note', ['one'])
  await expect.poll(() => call(first, 'b', 'notes')).toEqual(['one'])
  store.crash()
  const message = { kind: 'send', target: box('b'), method: 'note', delayMs: 0 } as const
  const bytes = encodeMessage({ ...message, args: ['two'] }, 0)
  const restored = alteredDriver(store, {
    store: (opened) => ({
      outbox: async (after, countMax) =>
        (await opened.outbox(after, countMax)).map((row) => ({ ...row, bytes })),
    }),
  })
  const second = await open(restored)
  await expect.poll(() => leftIn(store)).toBe(0)
  expect(await call(second, 'b', 'notes')).toEqual(['one', 'two'])
})
