/**
 * Messages: the bytes of what an actor sends, as they lie in its outbox.
 *
 *     MessagePack array: version, type, id, method, args, not before (ms since 1970)
 *
 * Owns: these bytes. Does not own: their key (effects.ts), delivery (runtime/outbox.ts).
 */
import { LoomError } from '../../base/errors.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { OutgoingCall } from '../../hostcalls/host-interface.ts'
import type { SendEffect } from '../../journal/entry.ts'
import { packValue, unpackValue } from '../../journal/values.ts'

const VERSION = 1

export interface StoredMessage extends OutgoingCall {
  /** Not delivered before. Units: milliseconds since 1970-01-01T00:00:00Z. */
  readonly notBeforeMs: number
}

export function encodeMessage(effect: SendEffect, atMs: number): Uint8Array {
  const { target, method, args, delayMs } = effect
  return packValue([VERSION, target.type, target.id, method, args, atMs + delayMs])
}

/** @throws ERR_STORE when they are not what `encodeMessage` wrote. */
export function decodeMessage(bytes: Uint8Array): StoredMessage {
  const cells = unpackValue(bytes)
  if (!Array.isArray(cells) || cells[0] !== VERSION)
    throw new LoomError('ERR_STORE', 'a message of an outbox cannot be read')
  const [, type, id, method, args, notBeforeMs] = cells as [
    number,
    string,
    string,
    string,
    readonly WitValue[] | string,
    number,
  ]
  return { target: { type, id }, method, args, notBeforeMs }
}
