import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../host/base/clock.ts'
import { seededRandom } from '../../../host/base/random.ts'
import type { WitFunction, WitType, WitValue } from '../../../host/component/wit/wit.ts'
import { bindHostFunction } from '../../../host/hostcalls/bound-function.ts'
import { type HostCallContext, HostInterfaces } from '../../../host/hostcalls/host-interface.ts'
import { HostResources } from '../../../host/hostcalls/host-resources.ts'
import { LineLog } from '../../../host/hostcalls/line-log.ts'
import { Recorder } from '../../../host/hostcalls/recorder.ts'
import { Suspension } from '../../../host/hostcalls/suspension.ts'
import { serveWasi } from '../../../host/hostcalls/wasi.ts'
import { thrown } from '../../support/wat.ts'

const interfaces = new HostInterfaces()
serveWasi(interfaces)

function func(name: string, result: WitType | null = null): WitFunction {
  return { name, params: [], result }
}

/** One actor's side of the host; `call` as its component would. */
function open(clock = new VirtualClock()) {
  const recorder = new Recorder()
  const resources = new HostResources()
  const lines: string[] = []
  const log = new LineLog((level, line) => lines.push(`${level} ${line}`))
  const context: HostCallContext = {
    key: { type: 'T', id: 'a' },
    incarnation: 'i',
    clock,
    random: seededRandom(3),
    get live() {
      return recorder.live
    },
    invocationId: () => 'id',
    log: () => {},
    panic: () => {},
    write: (stream, bytes) => log.write(stream, bytes),
    resources,
    caller: null,
    effect: (effect) => recorder.effect(effect),
    readState: () => undefined,
    listState: () => [],
    listReminders: () => [],
    callActor: () => ({ kind: 'returned', value: undefined }),
    fetch: async () => ({ kind: 'error', code: 'denied', message: '' }),
  }
  const call = (interfaceName: string, name: string, ...args: WitValue[]): WitValue => {
    const spec = interfaces.answer(`${interfaceName}@0.2.6`, func(name))
    if (spec === undefined) throw new Error(`${interfaceName}#${name} is not served`)
    const seat = { recorder, context }
    const bound = bindHostFunction(seat, name, spec, (value) => value as WitValue)
    return bound(...args) as WitValue
  }
  return { call, clock, recorder, resources, lines, log }
}

describe('standard streams', () => {
  test('end in the log, in live turns only', () => {
    const { call, recorder, lines, log } = open()
    const write = (text: string, stream = 1): WitValue =>
      call('wasi:io/streams', '[method]output-stream.write', stream, Buffer.from(text))
    recorder.beginLive()
    expect(call('wasi:cli/stdout', 'get-stdout')).toBe(1)
    expect(write('one\r\ntw')).toEqual({ tag: 'ok' })
    write('o\nthr')
    write('oops\n', 2)
    expect(lines).toEqual(['info one', 'info two', 'error oops'])
    expect(log.finish()).toBe('oops')
    expect(lines.at(-1)).toBe('info thr')
    recorder.end()
    recorder.beginReplay([])
    write('again\n')
    recorder.end()
    expect(lines).toHaveLength(4)
  })

  test('a line may be split between any two bytes, and a long one is cut', () => {
    const lines: string[] = []
    const log = new LineLog((_, line) => lines.push(line))
    for (const byte of Buffer.from('grüße 🎉\n')) log.write('stdout', Uint8Array.of(byte))
    log.write('stdout', Buffer.alloc(20_000, 0x61))
    log.finish()
    expect(lines.map((line) => line.length)).toEqual([8, 8_192, 8_192, 3_616])
    expect(lines[0]).toBe('grüße 🎉')
  })

  test('input is at its end', () => {
    const { call } = open()
    const closed = { tag: 'err', val: { tag: 'closed' } }
    expect(call('wasi:io/streams', '[method]input-stream.blocking-read', 0, 8n)).toEqual(closed)
    expect(call('wasi:io/streams', '[method]output-stream.splice', 1, 0, 8n)).toEqual(closed)
  })
})

describe('pollables', () => {
  const subscribed = () => {
    const host = open()
    host.recorder.beginLive()
    const late = host.call('wasi:clocks/monotonic-clock', 'subscribe-duration', 5_000_000n)
    const soon = host.call('wasi:clocks/monotonic-clock', 'subscribe-instant', 2_000_000n)
    return { ...host, late, soon }
  }

  test('of a stream are ready, those of a clock when their time has come', () => {
    const { call, clock, late, soon, recorder } = subscribed()
    const stream = call('wasi:io/streams', '[method]output-stream.subscribe', 1)
    expect(call('wasi:io/poll', 'poll', [late, stream, soon])).toEqual([1])
    expect(call('wasi:io/poll', '[method]pollable.ready', soon)).toBe(false)
    clock.advance(2)
    expect(call('wasi:io/poll', 'poll', [late, soon])).toEqual([1])
    expect(call('wasi:io/poll', '[method]pollable.block', soon)).toBeUndefined()
    expect(recorder.end()).toHaveLength(6)
  })

  test('that are not ready make the turn wait, for the earliest', async () => {
    const { call, clock, late, soon } = subscribed()
    const suspension = thrown(() => call('wasi:io/poll', 'poll', [late, soon])) as Suspension
    expect(suspension).toBeInstanceOf(Suspension)
    const result = suspension.result()
    clock.advance(2)
    expect(await result).toEqual([1])
  })

  test('are made alike in a replay, and dropped', () => {
    const { recorder, late, soon } = subscribed()
    const calls = recorder.end()
    const again = open(new VirtualClock(9))
    again.recorder.beginReplay(calls)
    const clocks = 'wasi:clocks/monotonic-clock'
    expect(again.call(clocks, 'subscribe-duration', 5_000_000n)).toBe(late)
    expect(again.call(clocks, 'subscribe-instant', 2_000_000n)).toBe(soon)
    again.call('wasi:io/poll', '[resource-drop]pollable', late)
    again.recorder.end()
    expect(thrown(() => again.resources.get(late as number))).toMatchObject({
      code: 'ERR_INVARIANT',
    })
  })

  test('of a time that never comes can be journaled', () => {
    const { call, recorder } = open()
    recorder.beginLive()
    call('wasi:clocks/monotonic-clock', 'subscribe-duration', 2n ** 64n - 1n)
    expect(recorder.end()[0]?.result).toBe(2n ** 63n - 1n)
  })

  test('an empty list of them is refused', () => {
    const { call, recorder } = open()
    recorder.beginLive()
    expect(thrown(() => call('wasi:io/poll', 'poll', []))).toMatchObject({ code: 'ERR_HOST_CALL' })
  })
})

describe('what actors do not get', () => {
  const perform = (interfaceName: string, name: string, result: WitType | null): WitValue => {
    const spec = interfaces.answer(interfaceName, func(name, result))
    return spec?.perform({} as HostCallContext, [], 0) as WitValue
  }
  const codes = (...cases: string[]): WitType => ({
    kind: 'result',
    ok: null,
    err: { kind: 'enum', name: 'error-code', cases },
  })

  test.each([
    ['wasi:sockets/tcp@0.2.3', ['unknown', 'access-denied', 'not-supported'], 'access-denied'],
    ['wasi:filesystem/types@0.2.0', ['access', 'not-permitted'], 'access'],
    ['wasi:sockets/udp@0.2.9', ['unknown', 'not-supported'], 'not-supported'],
  ])('%s answers with the error code that says so', (name, cases, code) => {
    expect(perform(name, 'anything', codes(...cases))).toEqual({ tag: 'err', val: code })
  })

  test('a function without such a code fails the turn', () => {
    for (const result of [null, codes('io'), { kind: 'bool' } as const])
      expect(thrown(() => perform('wasi:sockets/tcp@0.2.0', 'f', result))).toMatchObject({
        code: 'ERR_HOST_CALL',
        message: 'wasi:sockets/tcp@0.2.0#f is denied: actors have no such access',
      })
  })

  test('may be dropped, and may be provided by an embedder', () => {
    expect(perform('wasi:sockets/tcp@0.2.0', '[resource-drop]tcp-socket', null)).toBeUndefined()
    expect(interfaces.has('wasi:sockets/tcp@0.2.0')).toBe(false)
  })

  test('other versions and packages are refused when the component is registered', () => {
    const wanted = (name: string) => [{ name, functions: [func('f')] }]
    for (const name of ['wasi:sockets/tcp@0.3.0', 'wasi:http/outgoing-handler@0.2.0'])
      expect(thrown(() => interfaces.checkImports(wanted(name)))).toMatchObject({
        code: 'ERR_COMPONENT_IMPORT',
      })
    expect(() => interfaces.checkImports(wanted('wasi:sockets/tcp@0.2.1'))).not.toThrow()
  })

  test('an exit ends the turn', () => {
    const { call } = open()
    expect(thrown(() => call('wasi:cli/exit', 'exit', { tag: 'ok' }))).toMatchObject({
      code: 'ERR_TRAP',
      message: 'the guest ended its program with success',
    })
    expect(thrown(() => open().call('wasi:cli/exit', 'exit-with-code', 4))).toMatchObject({
      message: 'the guest ended its program with code 4',
    })
  })
})

describe('the table of host resources', () => {
  test('comes back as it was', () => {
    const one = new HostResources()
    for (const data of [1n, { type: 'Counter', id: 'c' }, 'x']) one.add(data)
    one.remove(2)
    const two = new HostResources()
    two.load(one.save())
    expect(two.get(1)).toBe(1n)
    expect(two.add('y')).toBe(one.add('y'))
    expect(Buffer.compare(two.save(), one.save())).toBe(0)
  })

  test('is refused when it is malformed', () => {
    for (const bytes of [[], [0x92, 1, 1], [0x93, 1, 5, 1], [0xc0]])
      expect(thrown(() => new HostResources().load(Uint8Array.from(bytes)))).toMatchObject({
        code: 'ERR_SNAPSHOT_CORRUPT',
      })
  })
})
