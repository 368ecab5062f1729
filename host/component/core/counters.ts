/**
 * Counters: the smallest module that has them, for components whose core instances share one pair.
 *
 *   (module
 *     (global $fuel (export "fuel") (mut i64) (i64.const 2^62)) (global $room (export "room") (mut i64) (i64.const 2^62))
 *     (func (export "loom:globals") ...))
 *
 * Owns: that module. Does not own: what is counted (meter.ts), how counters are reached (global-access.ts).
 */

import { Writer } from '../writer.ts'
import { UNLIMITED } from './fuel-write.ts'
import { ACCESS_NAME, ACCESS_TYPE, type GlobalAccess, writeAccess } from './global-access.ts'
import { FUEL_NAME, ROOM_NAME } from './instrument.ts'

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const out = new Writer()
  const section = (id: number, count: number, write: (body: Writer) => void): void => {
    const body = new Writer()
    body.u32(count)
    write(body)
    out.byte(id)
    out.u32(body.written.length)
    out.bytes(body.written)
  }
  out.code(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  section(1, 1, (body) => body.bytes(ACCESS_TYPE))
  section(3, 1, (body) => body.u32(0))
  section(6, 2, (body) => {
    for (let left = 2; left > 0; left--) {
      body.code(0x7e, 0x01, 0x42)
      body.signed(UNLIMITED)
      body.byte(0x0b)
    }
  })
  const exported = [
    [FUEL_NAME, 0x03, 0],
    [ROOM_NAME, 0x03, 1],
    [ACCESS_NAME, 0x00, 0],
  ] as const
  section(7, exported.length, (body) => {
    for (const [name, kind, index] of exported) {
      body.name(name)
      body.code(kind, index)
    }
  })
  section(10, 1, (body) => {
    const code = new Writer()
    writeAccess(code, 0, [])
    body.u32(code.written.length)
    body.bytes(code.written)
  })
  return out.written.slice()
}

let module: WebAssembly.Module | null = null

export interface SharedCounters {
  readonly access: GlobalAccess
  /** What metered modules import. */
  readonly imports: WebAssembly.Instance['exports']
}

/** A pair of counters. */
export function sharedCounters(): SharedCounters {
  module ??= new WebAssembly.Module(moduleBytes())
  const { exports } = new WebAssembly.Instance(module)
  return { access: exports[ACCESS_NAME] as GlobalAccess, imports: exports }
}
