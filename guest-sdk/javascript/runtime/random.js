/**
 * Random numbers: the host's, recorded. Those of the engine would be the same ones for every actor.
 */
import { getRandomBytes, getRandomU64 } from 'wasi:random/random@0.2.0'
import { askHost } from './build-phase.js'
import { setGlobal } from './global.js'

Math.random = function random() {
  askHost('Math.random()')
  return Number(getRandomU64() >> 11n) / 2 ** 53
}

const hex = (byte) => byte.toString(16).padStart(2, '0')

setGlobal('crypto', {
  getRandomValues(array) {
    askHost('crypto.getRandomValues()')
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    bytes.set(getRandomBytes(BigInt(bytes.length)))
    return array
  },
  randomUUID() {
    askHost('crypto.randomUUID()')
    const bytes = getRandomBytes(16n)
    bytes[6] = (bytes[6] & 0x0f) | 0x40
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    const text = [...bytes].map(hex).join('')
    return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  },
})
