// Aim: what a guest asks the host is recorded live, answered from the journal in replay, and a mismatch
// or a failure can not be hidden by the guest.
import { describe, expect, test } from 'vitest'
import { ENTRY_SIZE_MAX_BYTES } from '../../../host/base/limits.ts'
import { bindHostFunction } from '../../../host/hostcalls/bound-function.ts'
import type { HostCallContext, HostFunctionSpec } from '../../../host/hostcalls/host-interface.ts'
import { Recorder } from '../../../host/hostcalls/recorder.ts'
import type { RecordedCall } from '../../../host/journal/entry.ts'

const context = {} as HostCallContext
const asIs = (value: unknown): never => value as never

function counting(kind: 'pure' | 'recorded'): HostFunctionSpec & { count: number } {
  const spec = {
    kind,
    count: 0,
    perform: () => {
      spec.count++
      return spec.count * 10
    },
  }
  return spec
}

function recordTwo(): readonly RecordedCall[] {
  const recorder = new Recorder()
  const call = bindHostFunction({ recorder, context }, 'a:b/c#d', counting('recorded'), asIs)
  recorder.beginLive()
  call('x')
  call('y')
  return recorder.end()
}

describe('the recorder', () => {
  test('keeps recorded calls in order and gives them back without performing them', () => {
    const calls = recordTwo()
    expect(calls.map(({ target, result }) => [target, result])).toEqual([
      ['a:b/c#d', 10],
      ['a:b/c#d', 20],
    ])
    const spec = counting('recorded')
    const recorder = new Recorder()
    const call = bindHostFunction({ recorder, context }, 'a:b/c#d', spec, asIs)
    recorder.beginReplay(calls)
    expect([call('x'), call('y')]).toEqual([10, 20])
    expect(recorder.end()).toEqual([])
    expect(spec.count).toBe(0)
  })

  test('performs pure functions live and in replay, and never records them', () => {
    const spec = counting('pure')
    const recorder = new Recorder()
    const call = bindHostFunction({ recorder, context }, 'a:b/c#pure', spec, asIs)
    recorder.beginLive()
    call()
    expect(recorder.end()).toEqual([])
    recorder.beginReplay([])
    call()
    recorder.end()
    expect(spec.count).toBe(2)
  })

  test.each([
    ['another function', 'a:b/c#other', ['x']],
    ['other arguments', 'a:b/c#d', ['z']],
  ])('in replay refuses %s, and again at the end of a turn that hid it', (_, target, args) => {
    const recorder = new Recorder()
    const call = bindHostFunction({ recorder, context }, target, counting('recorded'), asIs)
    recorder.beginReplay(recordTwo())
    expect(() => call(...args)).toThrow(/host call 0: expected a:b\/c#d/)
    expect(() => recorder.end()).toThrow(/host call 0/)
  })

  test('in replay refuses a call too many and a call too few', () => {
    const recorder = new Recorder()
    const call = bindHostFunction({ recorder, context }, 'a:b/c#d', counting('recorded'), asIs)
    recorder.beginReplay([])
    expect(() => call('x')).toThrow(/expected no further host call, got a:b\/c#d/)
    recorder.abandon()
    recorder.beginReplay(recordTwo())
    call('x')
    expect(() => recorder.end()).toThrow(
      /host call 1: expected a:b\/c#d .* got no further host call/,
    )
  })

  test('fails the turn when a host function failed, whatever the guest does with it', () => {
    const recorder = new Recorder()
    const failing: HostFunctionSpec = {
      kind: 'recorded',
      perform: () => {
        throw new Error('no quotes today')
      },
    }
    const call = bindHostFunction({ recorder, context }, 'a:b/c#d', failing, asIs)
    recorder.beginLive()
    expect(() => call()).toThrow('a:b/c#d failed: no quotes today')
    expect(() => recorder.end()).toThrow('a:b/c#d failed: no quotes today')
  })

  test('refuses calls outside of a turn', () => {
    const recorder = new Recorder()
    const call = bindHostFunction({ recorder, context }, 'a:b/c#d', counting('recorded'), asIs)
    expect(() => call()).toThrow(/outside of a turn/)
  })
})

test('a guest that asks for more than an entry holds is stopped at that call', () => {
  const recorder = new Recorder()
  let count = 0
  const spec: HostFunctionSpec = {
    kind: 'recorded',
    perform: () => {
      count++
      return new Uint8Array(6 * 1024 * 1024)
    },
  }
  const call = bindHostFunction({ recorder, context }, 'a:b/c#d', spec, asIs)
  recorder.beginLive()
  call()
  call()
  expect(() => call()).toThrow(
    expect.objectContaining({
      code: 'ERR_HOST_CALLS',
      message: expect.stringContaining('a:b/c#d: what the turn asked of the host and was told'),
      data: { function: 'a:b/c#d', limit: 'journal entry', allowed: ENTRY_SIZE_MAX_BYTES },
    }),
  )
  expect(() => call()).toThrow('exceeds')
  expect(count).toBe(3)
  expect(recorder.abandon().calls).toHaveLength(2)
})

test('a guest that is told little, very often, is stopped as early: names of functions are recorded, too', () => {
  const recorder = new Recorder()
  const target = `a:b/${'c'.repeat(1_000)}#d`
  const call = bindHostFunction({ recorder, context }, target, counting('recorded'), asIs)
  recorder.beginLive()
  const asked = (): unknown => {
    for (let count = 0; count < 1_000_000; count++) call()
    return null
  }
  expect(asked).toThrow(expect.objectContaining({ code: 'ERR_HOST_CALLS' }))
  const { calls } = recorder.abandon()
  expect(calls.length).toBeLessThan(ENTRY_SIZE_MAX_BYTES / 1_000)
  expect(calls.length).toBeGreaterThan(ENTRY_SIZE_MAX_BYTES / 1_020)
})

test('a host function at the end of the stack fails the guest, not the host', () => {
  const recorder = new Recorder()
  const deep = (): number => 1 + deep()
  const call = bindHostFunction(
    { recorder, context },
    'a:b/c#d',
    { kind: 'recorded', perform: deep },
    asIs,
  )
  recorder.beginLive()
  expect(() => call()).toThrow(expect.objectContaining({ code: 'ERR_TRAP' }))
})
