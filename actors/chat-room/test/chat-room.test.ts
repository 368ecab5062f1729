// Aim: the chat room keeps what its interface says, in the order in which it was said, and no more than that.
import { expect, test } from 'vitest'
import { type ActorHandle, fsBlobs, memory, VirtualClock } from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { openHost, temporaryFolder } from '../../../test/support/host.ts'

async function openRoom(options: Parameters<typeof openHost>[0] = {}): Promise<ActorHandle> {
  const runtime = await openHost(options)
  await runtime.registerActorType('Room', { type: 'wasm', component: componentBytes('chat-room') })
  return runtime.getActor('lobby', 'Room')
}

const refused = (val: string): unknown => ({ tag: 'err', val })

test('members come, speak and go', async () => {
  const room = await openRoom({ clock: new VirtualClock(1_000) })
  expect(await room.call('join', 'ada')).toEqual({ tag: 'ok', val: [] })
  expect(await room.call('say', 'ada', 'hello 🦀')).toEqual({ tag: 'ok', val: 1n })
  expect(await room.call('join', 'bob')).toEqual({
    tag: 'ok',
    val: [{ number: 1n, at: 1_000n, author: 'ada', text: 'hello 🦀' }],
  })
  expect(await room.call('members')).toEqual(['ada', 'bob'])
  expect(await room.call('leave', 'ada')).toEqual({ tag: 'ok' })
  expect(await room.call('members')).toEqual(['bob'])
})

test('a bad name, a taken one, a stranger and a bad text are refused', async () => {
  const room = await openRoom()
  await room.call('join', 'ada')
  expect(await room.call('join', '')).toEqual(refused('bad-name'))
  expect(await room.call('join', 'é'.repeat(41))).toEqual(refused('bad-name'))
  expect(await room.call('join', 'é'.repeat(40))).toMatchObject({ tag: 'ok' })
  expect(await room.call('join', 'ada')).toEqual(refused('name-taken'))
  expect(await room.call('say', 'eve', 'hello')).toEqual(refused('not-a-member'))
  expect(await room.call('leave', 'eve')).toEqual(refused('not-a-member'))
  expect(await room.call('say', 'ada', '')).toEqual(refused('bad-text'))
  expect(await room.call('say', 'ada', 'x'.repeat(4_001))).toEqual(refused('bad-text'))
  expect(await room.call('history', 0n, 10)).toEqual([])
})

test('the last thousand messages are kept, past a crash too', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const first = await openRoom({ store, blobs })
  await first.call('join', 'ada')
  const said = Array.from({ length: 1_005 }, (_, index) => first.call('say', 'ada', `m${index}`))
  await Promise.all(said)
  store.crash()
  const room = await openRoom({ store, blobs })
  const kept = (await room.call('history', 0n, 2_000)) as { number: bigint; text: string }[]
  expect(kept).toHaveLength(1_000)
  expect(kept[0]).toMatchObject({ number: 6n, text: 'm5' })
  expect(await room.call('history', 1_003n, 1)).toMatchObject([{ number: 1_004n, text: 'm1003' }])
  const welcome = (await room.call('join', 'bob')) as { val: unknown[] }
  expect(welcome.val).toHaveLength(10)
})
