// Aim: what an actor asks for while it is instantiated is journaled with its first turn, or it is not created. Method: a
// program that asks its host for whatever the test says, on a memory store.
import { expect, test } from 'vitest'
import { createActor } from '../../../host/actor/journal/creation.ts'
import type { ActorBody, ActorProgram } from '../../../host/actor/program/program.ts'
import type { EngineEnvironment, TurnContext } from '../../../host/actor/turn/turn-context.ts'
import { ENTRY_SIZE_MAX_BYTES } from '../../../host/base/limits.ts'
import type { WitValue } from '../../../host/component/wit/wit.ts'
import type { Recorder } from '../../../host/hostcalls/recorder.ts'
import { seededRandom, VirtualClock } from '../../../host/index.ts'
import { decodeEntry } from '../../../host/journal/codec.ts'
import { errorOf } from '../../support/host.ts'

const environment: EngineEnvironment = {
  key: { type: 'Asker', id: 'a' },
  incarnation: 'life',
  clock: new VirtualClock(),
  random: seededRandom(1),
  log: () => {},
  parkedTurns: null,
  ports: null,
}

/** Does `start` while it is instantiated. */
function asker(start: (context: TurnContext, recorder: Recorder) => void): ActorProgram {
  const begin = (context: TurnContext, recorder: Recorder): ActorBody => {
    start(context, recorder)
    return {} as ActorBody
  }
  return { type: 'wasm', digest: 'd', methods: [], start: begin } as unknown as ActorProgram
}

const told = (result: WitValue) => (_: TurnContext, recorder: Recorder) => {
  const check = (value: unknown): WitValue => value as WitValue
  void recorder.call({
    kind: 'recorded',
    target: 'a:b/c#d',
    args: [],
    perform: () => result,
    check,
  })
}

const creationError = (program: ActorProgram): Promise<unknown> =>
  errorOf((async () => createActor(program, environment))())

test('what instantiation was told lies in the created entry', () => {
  const { entry, record } = createActor(asker(told('much')), environment)
  expect(record).toMatchObject({ type: 'Asker', id: 'a', incarnation: 'life', digest: 'd' })
  expect(decodeEntry(0, entry)).toMatchObject({
    kind: 'created',
    calls: [{ target: 'a:b/c#d', result: 'much' }],
  })
})

test('what fits in no entry makes no actor, be it seen at the call or at the entry', async () => {
  for (const [length, code] of [
    [ENTRY_SIZE_MAX_BYTES + 1, 'ERR_HOST_CALLS'],
    [ENTRY_SIZE_MAX_BYTES - 20, 'ERR_OPTION'],
  ] as const)
    expect(await creationError(asker(told('x'.repeat(length))))).toMatchObject({ code })
})

test('there is no invocation while an actor is instantiated, and so no id, no effect and no call', async () => {
  const asks: ((context: TurnContext) => unknown)[] = [
    (context) => context.invocationId(),
    (context) => context.effect({ kind: 'delete', key: 'k' }),
    (context) => context.readState('k'),
    (context) => context.callActor({ target: environment.key, method: 'm', args: [] }),
  ]
  for (const ask of asks)
    expect(await creationError(asker(ask))).toMatchObject({ code: 'ERR_HOST_CALL' })
})
