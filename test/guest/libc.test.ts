// Aim: a C program on wasi-libc, linked through wit-component's adapter (several core modules that share one memory),
// is an actor like any other. Method: a committed component (test/fixtures/guests/libc) on the memory store.
import { expect, test } from 'vitest'
import {
  fsBlobs,
  type LogLine,
  memory,
  openInspector,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { componentBytes, openGuest } from '../support/components.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'

test('a C program prints, reads the clock and random bits, and finds no files', async () => {
  const lines: string[] = []
  const log = ({ message }: LogLine): number => lines.push(message)
  const clock = new VirtualClock(7_000_000)
  const runtime = await openGuest('C', 'libc', { log, clock, random: seededRandom(5) })
  const actor = await runtime.getActor('c', 'C')
  expect(await actor.call('count', 'ape')).toBe(1)
  expect(await actor.call('now')).toBe(7_000n)
  expect(await actor.call('seed')).not.toBe(await actor.call('seed'))
  expect(await actor.call('surroundings')).toMatch(/^file: .+, home: none$/)
  expect(lines).toEqual(['ape: 1'])
  const error = await errorOf(actor.call('fail', 'no more apes'))
  expect(error).toMatchObject({ code: 'ERR_TRAP' })
  expect(error.message).toMatch(/unreachable: no more apes$/)
  expect(await actor.call('count', 'ape')).toBe(2)
})

test('its memory is the same live, after a crash and replayed', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const options = { store, blobs, limits: { snapshotIntervalTurns: 4 } }
  const first = await openGuest('C', 'libc', options)
  const actor = await first.getActor('c', 'C')
  for (let turn = 1; turn <= 10; turn++) {
    expect(await actor.call('count', 'x'.repeat(turn))).toBe(turn)
    await actor.call('seed')
  }
  const { stateHash } = await first.describeActor('c', 'C')
  store.crash()
  const second = await openGuest('C', 'libc', options)
  expect((await second.describeActor('c', 'C')).stateHash).toBe(stateHash)
  expect(await (await second.getActor('c', 'C')).call('count', 'y')).toBe(11)
  const inspector = await openInspector({ store, blobs })
  const report = await inspector.replay({ type: 'C', id: 'c' })
  expect(report.stateHash).toBe((await second.describeActor('c', 'C')).stateHash)
  expect(report.snapshotsCompared).toBeGreaterThan(1)
})

test('an embedder grants an environment by providing it', async () => {
  const runtime = await openHost()
  runtime.provide('wasi:cli/environment@0.2.0', {
    getEnvironment: () => [['HOME', 'a tree']],
  })
  await runtime.registerActorType('C', { type: 'wasm', component: componentBytes('libc') })
  const actor = await runtime.getActor('c', 'C')
  expect(await actor.call('surroundings')).toMatch(/home: a tree$/)
})
