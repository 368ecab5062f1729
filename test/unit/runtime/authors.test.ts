// Aim: what the author of a TypeScript actor does to values, and code of his that outlives its turn, change nothing that
// is journaled, and harm nobody. Method: careless methods; then the host dies, and the journal must replay.
import { expect, test } from 'vitest'
import { Actor, fsBlobs, type LogLine, memory, type Runtime } from '../../../host/index.ts'
import { errorOf, isPending, macrotasks, openHost, temporaryFolder } from '../../support/host.ts'

interface State extends Record<string, unknown> {
  readonly count: number
  readonly tags: Set<string>
  readonly bytes: Uint8Array
  readonly at: Date
  readonly nested: { readonly tags: Set<{ name: string }> }
}

const target = (id: string) => ({ type: 'Careless', id })

class Careless extends Actor<State> {
  static readonly initialState = {
    count: 0,
    tags: new Set(['old']),
    bytes: Uint8Array.of(1, 2),
    at: new Date(5),
    nested: { tags: new Set([{ name: 'old' }]) },
  }
  /** What methods wait for beside the host, and what they leave behind. */
  static waits: (() => void)[] = []
  static left: (() => unknown) | null = null
  static caught = 0

  give(): unknown {
    return { items: [1] }
  }

  /** Changes what the host gave it. */
  async change(): Promise<unknown> {
    const list = (await this.simpleState.get<number[]>('list')) ?? []
    list.push(list.length)
    this.simpleState.set('list', list)
    const given = await this.context.call<{ items: number[] }>(target('giver'), 'give')
    given.items.push(2)
    const keys = (await this.simpleState.keys()) as string[]
    keys.push('more')
    this.context.reminders.set('r', { due: '1h', data: { list } })
    for (const reminder of await this.context.reminders.list())
      (reminder.data as { list: unknown[] }).list.length = 0
    return [list, given, keys]
  }

  inPlace(what: string, outcome: string): unknown {
    const { tags, bytes, at, nested } = this.state
    if (what === 'tags') tags.add('new')
    if (what === 'bytes') bytes[0] = 9
    if (what === 'at') at.setTime(99)
    if (what === 'nested') for (const tag of nested.tags) tag.name = 'new'
    if (outcome === 'fails') throw new Error('after all, no')
    return this.show()
  }

  show(): unknown {
    return this.state
  }

  keepState(): void {
    const { tags } = this.state
    Careless.left = () => tags.add('too late')
  }

  leaveBehind(): void {
    const { context } = this
    Careless.left = () => {
      context.send(target('other'), 'give')
      context.simpleState.set('late', true)
      context.log('info', 'still here')
      void context.call(target('other'), 'give')
      void context.simpleState.get('late')
      return [context.now(), context.random(), context.uuid(), context.invocationId()]
    }
  }

  /** What it returns asks the host when it is looked at. */
  lazy(): unknown {
    const { context } = this
    const add = (): void => this.updateState(({ count }) => ({ count: count + 1 }))
    return {
      get at(): unknown {
        add()
        return [context.now(), context.random(), context.invocationId()]
      },
    }
  }

  /** So does what it puts into the state. */
  lazyTag(): void {
    const { context } = this
    this.state.nested.tags.add({
      get name() {
        return context.uuid()
      },
    })
  }

  async lazyLater(): Promise<unknown> {
    await this.simpleState.get('nothing')
    return this.lazy()
  }

  forget(id: string): number {
    void this.context.call(target(id), 'give')
    return 1
  }

  async slowly(): Promise<number> {
    await new Promise<void>((resolve) => {
      Careless.waits.push(resolve)
    })
    return this.context.random()
  }

  /** Catches what it may not: that it has to wait. */
  async catches(id: string): Promise<unknown> {
    try {
      return await this.context.call(target(id), 'give')
    } catch {
      Careless.caught++
      await new Promise(() => {})
      return 'caught'
    }
  }

  /** Two at once, of which one goes on while the other waits. */
  async both(id: string): Promise<unknown> {
    const other = this._other()
    const given = await this.context.call(target(id), 'give')
    return [given, await other]
  }

  async _other(): Promise<unknown> {
    await this.simpleState.get('nothing')
    this.context.send(target('counted'), 'count')
    return this.context.random()
  }

  receiveReminder(): void {}

  async date(given: Date): Promise<Date> {
    const kept = await this.simpleState.get<Date>('date')
    this.simpleState.set('date', kept ?? given)
    this.updateState({ at: given })
    return await this.context.call<Date>(target('echo'), 'echo', given)
  }

  echo(given: unknown): unknown {
    return given
  }

  count(): void {
    this.updateState(({ count }) => ({ count: count + 1 }))
  }
}

const DEFINITION = { type: 'typescript', actorClass: Careless } as const

async function world() {
  const [store, blobs] = [memory(), fsBlobs(temporaryFolder())]
  const lines: LogLine[] = []
  const open = async (): Promise<Runtime> => {
    const runtime = await openHost({ store, blobs, log: (line) => lines.push(line) })
    await runtime.registerActorType('Careless', DEFINITION)
    return runtime
  }
  /** The state hash as it is, and as a host that comes after a crash makes it. */
  const hashes = async (runtime: Runtime, id: string): Promise<string[]> => {
    const { stateHash } = await runtime.describeActor(id, 'Careless')
    store.crash()
    const recovered = await (await open()).describeActor(id, 'Careless')
    return [stateHash, recovered.stateHash]
  }
  return { runtime: await open(), lines, hashes }
}

test('what a method does to what the host gave it is its own', async () => {
  const { runtime, hashes } = await world()
  const actor = await runtime.getActor('a', 'Careless')
  const seen: unknown[] = []
  for (let turn = 0; turn < 3; turn++) seen.push(await actor.call('change'))
  expect(seen[2]).toEqual([[0, 1, 2], { items: [1, 2] }, ['list', 'more']])
  const [live, recovered] = await hashes(runtime, 'a')
  expect(recovered).toBe(live)
})

test.each(['tags', 'bytes', 'at', 'nested'])(
  'a turn that fails leaves no trace in the state where that can be changed in place: %s',
  async (what) => {
    const { runtime, hashes } = await world()
    const actor = await runtime.getActor('a', 'Careless')
    expect(await errorOf(actor.call('inPlace', what, 'fails'))).toMatchObject({
      code: 'ERR_ACTOR_FAILED',
    })
    expect(await actor.call('show')).toEqual(Careless.initialState)
    const changed = await actor.call('inPlace', what, 'returns')
    expect(changed).not.toEqual(Careless.initialState)
    expect(await actor.call('show')).toEqual(changed)
    const [live, recovered] = await hashes(runtime, 'a')
    expect(recovered).toBe(live)
  },
)

test('a date that is none is as good as any other value', async () => {
  const { runtime, hashes } = await world()
  const actor = await runtime.getActor('a', 'Careless')
  for (let turn = 0; turn < 2; turn++) {
    const call = { method: 'date', args: [new Date(Number.NaN)], idempotencyKey: `k${turn}` }
    const both = [actor.execute(call), actor.execute(call)]
    for (const given of [...(await Promise.all(both)), await actor.execute(call)])
      expect(String(given)).toBe('Invalid Date')
  }
  expect(new Set(await hashes(runtime, 'a')).size).toBe(1)
})

test.each(['lazy', 'lazyLater'])(
  'what a result asks the host for when it is read belongs to its turn: %s',
  async (method) => {
    const { runtime, hashes, lines } = await world()
    const actor = await runtime.getActor('a', 'Careless')
    await actor.call(method)
    expect(await actor.call('show')).toMatchObject({ count: 1 })
    expect(new Set(await hashes(runtime, 'a')).size).toBe(1)
    expect(lines).toEqual([])
  },
)

test('what a value that was put into the state in place asks the host for belongs to its turn', async () => {
  const { runtime, hashes } = await world()
  await (await runtime.getActor('a', 'Careless')).call('lazyTag')
  expect(new Set(await hashes(runtime, 'a')).size).toBe(1)
})

test('who keeps a part of the state changes nothing by it later', async () => {
  const { runtime } = await world()
  const actor = await runtime.getActor('a', 'Careless')
  await actor.call('keepState')
  Careless.left?.()
  expect(await actor.call('show')).toEqual(Careless.initialState)
})

test('code that goes on behind the end of its turn reaches nothing, and the log says so', async () => {
  const { runtime, lines, hashes } = await world()
  const actor = await runtime.getActor('a', 'Careless')
  await actor.call('leaveBehind')
  const running = actor.call('slowly')
  expect(Careless.left?.()).toHaveLength(4)
  await macrotasks(5)
  Careless.waits.shift()?.()
  expect(await running).toBeTypeOf('number')
  expect(await errorOf(runtime.describeActor('other', 'Careless'))).toMatchObject({
    code: 'ERR_ACTOR_UNKNOWN',
  })
  const told = lines.filter(({ level }) => level === 'error').map(({ message }) => message)
  expect(told).toEqual([expect.stringMatching(/^send was asked for behind the end of its turn/)])
  const both = hashes(runtime, 'a')
  while (await isPending(both)) Careless.waits.shift()?.()
  expect(new Set(await both).size).toBe(1)
})

test.each(['cold', 'unregistered'])(
  'a call that nobody awaits belongs to its turn, and ends no process: %s',
  async (id) => {
    const rejections: unknown[] = []
    const note = (reason: unknown): void => {
      rejections.push(reason)
    }
    process.on('unhandledRejection', note)
    try {
      const { runtime } = await world()
      const actor = await runtime.getActor('a', 'Careless')
      expect(await actor.call('forget', id === 'cold' ? id : '\n')).toBe(1)
      await macrotasks(5)
      if (id === 'cold') await runtime.describeActor('cold', 'Careless')
    } finally {
      process.off('unhandledRejection', note)
    }
    expect(rejections).toEqual([])
  },
)

test('a method does not learn that it has to wait', async () => {
  const { runtime } = await world()
  const actor = await runtime.getActor('a', 'Careless')
  Careless.caught = 0
  expect(await actor.call('catches', 'cold')).toEqual({ items: [1] })
  expect(Careless.caught).toBe(0)
})

test('of two things at once, what goes on while the turn waits happens once, and ends no process', async () => {
  const rejections: unknown[] = []
  const note = (reason: unknown): void => {
    rejections.push(reason)
  }
  process.on('unhandledRejection', note)
  try {
    const { runtime, hashes } = await world()
    const actor = await runtime.getActor('a', 'Careless')
    expect(await actor.call('both', 'cold')).toHaveLength(2)
    await macrotasks(20)
    const counted = await runtime.getActor('counted', 'Careless')
    expect(await counted.call('show')).toMatchObject({ count: 1 })
    expect(new Set(await hashes(runtime, 'a')).size).toBe(1)
  } finally {
    process.off('unhandledRejection', note)
  }
  expect(rejections).toEqual([])
})
