/**
 * Image codec: the bytes of an image at rest.
 *
 * Owns: the format and its version. Does not own: what an image means (image.ts), where it is kept (store).
 *
 *   0        4         5          9
 *   | 'LIMG' | version | CRC-32   | MessagePack: [ globals, pageCount, spans, bytes, pageCount, ... ]
 *            | u8      | u32 LE   | spans and globals as bytes, little-endian
 *
 * Version 2 is for components with resources: [ globals, tables, pageCount, spans, bytes, ... ], where
 * `tables` is an array of bytes. Images without tables are of version 1.
 *
 * Version 3 is for components whose code changes tables of functions: [ globals, tables, elements, pageCount,
 * spans, bytes, ... ], where `elements` is an array of bytes as well: per element a u32 (component/instance/elements.ts).
 *
 * The CRC covers the version and the MessagePack. A change of the format is a new version, a row in
 * docs and a golden file.
 *
 * Invariant IC1. `decodeImage` returns an image that `encodeImage` made, or throws ERR_SNAPSHOT_CORRUPT;
 * it never returns one whose runs overlap, are out of order or end beyond their memory.
 */
import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import {
  corrupt,
  globalsFromBytes,
  globalsToBytes,
  type Image,
  type MemoryImage,
  PAGE_SIZE_BYTES,
} from './image.ts'

const MAGIC = Buffer.from('LIMG', 'latin1')
const VERSION = 1
const VERSION_WITH_TABLES = 2
const VERSION_WITH_ELEMENTS = 3
const HEADER_SIZE_BYTES = 9
const PAGE_COUNT_MAX = 65_536

const packr = new Packr({ useRecords: false })

export function encodeImage(image: Image): Buffer {
  const fields: unknown[] = [globalsToBytes(image.globals)]
  let version = image.tables.length > 0 ? VERSION_WITH_TABLES : VERSION
  if (image.elements.length > 0) version = VERSION_WITH_ELEMENTS
  if (version >= VERSION_WITH_TABLES) fields.push(image.tables)
  if (version >= VERSION_WITH_ELEMENTS) fields.push(image.elements)
  for (const { pageCount, spans, bytes } of image.memories)
    fields.push(pageCount, toBytes(spans), bytes)
  const payload = packr.pack(fields)
  const encoded = Buffer.allocUnsafe(HEADER_SIZE_BYTES + payload.length)
  MAGIC.copy(encoded)
  encoded[4] = version
  encoded.writeUInt32LE(checksum(version, payload), 5)
  payload.copy(encoded, HEADER_SIZE_BYTES)
  return encoded
}

function checksum(version: number, payload: Uint8Array): number {
  return crc32(payload, crc32(Uint8Array.of(version)))
}

function toBytes(spans: Uint32Array): Buffer {
  const bytes = Buffer.allocUnsafe(4 * spans.length)
  spans.forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index)
  })
  return bytes
}

/** @throws ERR_SNAPSHOT_CORRUPT */
export function decodeImage(encoded: Uint8Array): Image {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  if (bytes.length < HEADER_SIZE_BYTES || !bytes.subarray(0, 4).equals(MAGIC))
    throw corrupt('the header is not that of an image')
  const version = bytes[4] ?? 0
  const payload = bytes.subarray(HEADER_SIZE_BYTES)
  if (checksum(version, payload) !== bytes.readUInt32LE(5)) throw corrupt('the checksum is wrong')
  if (version < VERSION || version > VERSION_WITH_ELEMENTS)
    throw corrupt(`version ${version} is not known to this host`)
  const fields = unpack(payload)
  const tables = version >= VERSION_WITH_TABLES ? tablesFrom(fields.splice(1, 1)[0]) : []
  const elements = version >= VERSION_WITH_ELEMENTS ? tablesFrom(fields.splice(1, 1)[0]) : []
  return { ...fromFields(fields), tables, elements }
}

function tablesFrom(tables: unknown): Uint8Array[] {
  if (!Array.isArray(tables) || !tables.every((table) => table instanceof Uint8Array))
    throw corrupt('the tables are malformed')
  return tables.map((table) => Uint8Array.from(table))
}

function unpack(payload: Buffer): unknown[] {
  let fields: unknown
  try {
    fields = packr.unpack(payload)
  } catch (error) {
    throw corrupt('the contents are not MessagePack', error)
  }
  if (!Array.isArray(fields)) throw corrupt('the contents are malformed')
  return fields
}

function fromFields([globals, ...memories]: unknown[]): Pick<Image, 'globals' | 'memories'> {
  if (memories.length % 3 !== 0) throw corrupt('the contents are malformed')
  if (!(globals instanceof Uint8Array)) throw corrupt('the globals are malformed')
  const decoded: MemoryImage[] = []
  for (let index = 0; index < memories.length; index += 3)
    decoded.push(memoryFrom(memories[index], memories[index + 1], memories[index + 2]))
  return { globals: globalsFromBytes(globals), memories: decoded }
}

function memoryFrom(pageCount: unknown, spanBytes: unknown, bytes: unknown): MemoryImage {
  const isCount = typeof pageCount === 'number' && Number.isInteger(pageCount) && pageCount >= 0
  if (!isCount || pageCount > PAGE_COUNT_MAX) throw corrupt('a page count is malformed')
  if (!(spanBytes instanceof Uint8Array && bytes instanceof Uint8Array))
    throw corrupt('a memory is malformed')
  if (spanBytes.length % 8 !== 0) throw corrupt('the runs are cut off')
  const view = new DataView(spanBytes.buffer, spanBytes.byteOffset, spanBytes.byteLength)
  const spans = new Uint32Array(spanBytes.length / 4)
  let end = 0
  let size = 0
  for (let index = 0; index < spans.length; index += 2) {
    const offset = view.getUint32(4 * index, true)
    const length = view.getUint32(4 * index + 4, true)
    if (offset < end || length === 0) throw corrupt('the runs are out of order')
    spans[index] = offset
    spans[index + 1] = length
    end = offset + length
    size += length
  }
  if (end > pageCount * PAGE_SIZE_BYTES) throw corrupt('a run ends beyond its memory')
  if (size !== bytes.length) throw corrupt('the runs do not match their bytes')
  // A copy: what the codec returns shares no memory with the encoded image.
  return { pageCount, spans, bytes: Uint8Array.from(bytes) }
}
