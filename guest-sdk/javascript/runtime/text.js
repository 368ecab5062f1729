/**
 * TextEncoder and TextDecoder, of UTF-8.
 */
globalThis.TextEncoder = class TextEncoder {
  encoding = 'utf-8'

  encode(text = '') {
    const bytes = []
    for (const character of String(text).toWellFormed()) {
      const code = character.codePointAt(0)
      if (code < 0x80) bytes.push(code)
      else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
      else if (code < 0x10000)
        bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
      else
        bytes.push(
          0xf0 | (code >> 18),
          0x80 | ((code >> 12) & 63),
          0x80 | ((code >> 6) & 63),
          0x80 | (code & 63),
        )
    }
    return Uint8Array.from(bytes)
  }
}

/** Bytes that follow a first byte, and the smallest code that needs them. */
function sequence(first) {
  if (first < 0x80) return { more: 0, least: 0, code: first }
  if (first >= 0xc2 && first < 0xe0) return { more: 1, least: 0x80, code: first & 31 }
  if (first >= 0xe0 && first < 0xf0) return { more: 2, least: 0x800, code: first & 15 }
  if (first >= 0xf0 && first < 0xf5) return { more: 3, least: 0x10000, code: first & 7 }
  return null
}

/** The code at `at` and where the next one begins; null where the bytes are no UTF-8. */
function decodeAt(bytes, at) {
  const start = sequence(bytes[at])
  if (start === null) return null
  let { code } = start
  for (let index = 1; index <= start.more; index++) {
    const byte = bytes[at + index]
    if (byte === undefined || (byte & 0xc0) !== 0x80) return null
    code = (code << 6) | (byte & 63)
  }
  const isCode = code >= start.least && code < 0x110000 && (code < 0xd800 || code > 0xdfff)
  return isCode ? { code, next: at + start.more + 1 } : null
}

globalThis.TextDecoder = class TextDecoder {
  encoding = 'utf-8'
  #isFatal

  constructor(label = 'utf-8', { fatal = false } = {}) {
    if (!/^utf-?8$/i.test(label))
      throw new RangeError(`TextDecoder: ${label} is not supported, UTF-8 only`)
    this.#isFatal = fatal
  }

  decode(input = new Uint8Array()) {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input)
    let text = ''
    for (
      let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
      at < bytes.length;
    ) {
      const found = decodeAt(bytes, at)
      if (found === null && this.#isFatal)
        throw new TypeError('TextDecoder: the bytes are no UTF-8')
      text += String.fromCodePoint(found?.code ?? 0xfffd)
      at = found?.next ?? at + 1
    }
    return text
  }
}
