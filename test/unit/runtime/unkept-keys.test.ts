// Aim: a key that no journal holds is refused by name wherever an author can bring it, and is never renamed; a journal of a
// former build, which renamed it, replays.
// Method: a TypeScript actor whose code makes the key; the former journal is what a live turn without the key leaves, replayed by
// a class that makes it.
import { expect, test } from 'vitest'
import { Actor, type ActorClass, fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'

const bad = (): Record<string, unknown> => JSON.parse('{"__proto__": 1}')
const key = { type: 'Keeper', id: 'k' }

class Keeper extends Actor<{ held: unknown; tags: Map<string, unknown> }> {
  static readonly initialState: Record<string, unknown> = { held: null, tags: new Map() }

  take(value: unknown): unknown {
    return value === undefined ? null : this.state.held
  }

  state_(): void {
    this.updateState({ held: [bad()] })
  }

  caught(): string {
    try {
      this.updateState({ held: bad() })
    } catch {
      return 'went on'
    }
    return 'held'
  }

  value(): void {
    this.simpleState.set('v', bad())
  }

  send(): void {
    this.context.send(key, 'take', bad())
  }

  async ask(): Promise<unknown> {
    return await this.context.call({ ...key, id: 'other' }, 'take', bad())
  }

  tick(): void {
    this.context.reminders.set('r', { due: '1h', data: bad() })
  }

  receiveReminder(): void {}

  result(): unknown {
    return bad()
  }

  async resultLater(): Promise<unknown> {
    await this.simpleState.get('v')
    return bad()
  }
}

async function open(store: ReturnType<typeof memory>, actorClass: ActorClass) {
  const runtime = await openHost({ store })
  await runtime.registerActorType('Keeper', { type: 'typescript', actorClass })
  return await runtime.getActor('k', 'Keeper')
}

test.each(['state_', 'caught', 'value', 'send', 'ask', 'tick', 'result', 'resultLater'])(
  'a turn that brings the key fails, whatever its code does: %s',
  async (method) => {
    const store = memory()
    const actor = await open(store, Keeper)
    expect((await errorOf(actor.call(method))).message).toContain('"__proto__"')
    expect(await actor.call('take', 1)).toBe(null)
    store.crash()
    expect(await (await open(store, Keeper)).call('take', 1)).toBe(null)
  },
)

test('an argument with the key is refused, and so is an initial state', async () => {
  const actor = await open(memory(), Keeper)
  const refused = { code: 'ERR_ARGUMENT_TYPE', message: expect.stringContaining('"__proto__"') }
  expect(await errorOf(actor.call('take', [bad()]))).toMatchObject(refused)
  expect(
    await errorOf(actor.executeJson({ method: 'take', args: [bad() as never] })),
  ).toMatchObject(refused)
  class Wrong extends Keeper {
    static override readonly initialState = bad()
  }
  expect(await errorOf(open(memory(), Wrong))).toMatchObject({ code: 'ERR_OPTION' })
})

test('an argument that cannot be journaled is refused, and harms no call beside it', async () => {
  const actor = await open(memory(), Keeper)
  const unkept = JSON.parse('{"toJSON": 1, "constructor": []}')
  const beside = [actor.call('take', 1), actor.call('take', unkept), actor.call('take', 2)]
  const [before, refused, after] = await Promise.allSettled(beside)
  expect(refused).toMatchObject({ reason: { code: 'ERR_ARGUMENT_TYPE' } })
  expect([before, after]).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
})

test('a turn in which a former build renamed the key replays', async () => {
  class Former extends Keeper {
    override state_(): void {
      this.updateState({ held: [{ __proto_: 1 }] })
    }

    override send(): void {
      this.context.send(key, 'take', { __proto_: 1 })
    }

    override result(): unknown {
      return { __proto_: 1 }
    }
  }
  const store = memory()
  const actor = await open(store, Former)
  for (const method of ['state_', 'send', 'result']) await actor.call(method)
  store.crash()
  const types = { Keeper: { type: 'typescript', actorClass: Keeper } } as const
  const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
  expect((await inspector.replay(key)).turns).toBeGreaterThan(2)
  expect(await (await open(store, Keeper)).call('take', 1)).toEqual([{ __proto_: 1 }])
})
