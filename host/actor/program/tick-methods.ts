/**
 * Tick methods: what a tick of a reminder or timer calls.
 *
 *     receive-reminder: func(name: string, data: list<u8>)     receiveReminder(name, data)
 *     receive-timer: func(name: string, data: list<u8>)        receiveTimer(name, data)
 *
 * Owns: finding them, and saying early that one is missing. Does not own: when they are called.
 */
import { isLoomError, LoomError } from '../../base/errors.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { ActorMethod, ActorProgram } from './program.ts'

export type TickKind = 'remind' | 'timer'

const METHODS: Readonly<Record<TickKind, string>> = {
  remind: 'receiveReminder',
  timer: 'receiveTimer',
}
const WIT_METHODS: Readonly<Record<TickKind, string>> = {
  remind: 'receive-reminder: func(name: string, data: list<u8>)',
  timer: 'receive-timer: func(name: string, data: list<u8>)',
}

/** @throws ERR_METHOD_UNKNOWN when the program has none that takes a name and data. */
export function tickMethod(program: ActorProgram, kind: TickKind): ActorMethod {
  const method = program.findMethod(METHODS[kind])
  if (method === undefined) throw missing(program, kind, 'has no')
  try {
    method.check(['', new Uint8Array()])
  } catch (error) {
    if (!isLoomError(error)) throw error
    throw missing(program, kind, `has ${method.name}: ${method.signature}; expected`)
  }
  return method
}

function missing(program: ActorProgram, kind: TickKind, what: string): LoomError {
  const expected = program.type === 'wasm' ? WIT_METHODS[kind] : `${METHODS[kind]}(name, data)`
  const asked = kind === 'remind' ? 'a reminder' : 'a timer'
  return new LoomError(
    'ERR_METHOD_UNKNOWN',
    `${asked} is set, but the actor's type ${what} ${expected}`,
  )
}

/** Data from outside as the program takes it: components are given bytes, of JSON text where it is no list. */
export function tickData(program: ActorProgram, data: unknown): WitValue {
  if (program.type === 'typescript') return data as WitValue
  if (data === undefined) return new Uint8Array()
  if (data instanceof Uint8Array) return Uint8Array.from(data)
  return new Uint8Array(Buffer.from(JSON.stringify(data)))
}
