/**
 * Block repair: one damaged byte in the heads of a block, found and put right by its checksum.
 *
 * A block's heads say whose entries it holds. While they are not indexed yet they stand nowhere else, and
 * a folder in which one of them is unreadable cannot be opened: nobody knows whose turns are missing.
 * A CRC-32 names the place of a single wrong byte: of all blocks that differ from this one in one byte,
 * (nearly always) just one has the checksum that is stored. When several have it, nothing is repaired.
 *
 * Owns: the search. Does not own: whether a repaired block makes sense (block.ts reads it and decides),
 * damage to entries (their own checksums name the actor and the seq).
 *
 * Source: CRC-32 is linear: crc(m ^ e) = crc(m) ^ L(e). L of one byte, then of that byte with one more
 * zero behind it, follows by one step of the table.
 */
import { crc32 } from 'node:zlib'
import { CRC32_TABLE } from '../../base/checksum.ts'

const TRAILER_SIZE_BYTES = 16
const CRC_SIZE_BYTES = 4

/** Copies of `block` that differ in one byte and whose checksum fits. */
export function repairCandidates(block: Buffer): Buffer[] {
  if (block.length < TRAILER_SIZE_BYTES) return []
  return [...wrongHead(block), ...wrongStart(block), ...wrongChecksum(block)]
}

function withByte(block: Buffer, at: number, difference: number): Buffer {
  const copy = Buffer.from(block)
  copy[at] = (copy[at] ?? 0) ^ difference
  return copy
}

/** Start of what the checksum covers, or null when it cannot be. */
function startOf(block: Buffer): number | null {
  const start = block.readUInt32BE(block.length - TRAILER_SIZE_BYTES)
  return start <= block.length - TRAILER_SIZE_BYTES ? start : null
}

/** Stored and actual checksum, one exclusive-or the other. */
function syndromeOf(block: Buffer, start: number): number {
  const end = block.length - CRC_SIZE_BYTES
  return (crc32(block.subarray(start, end)) ^ block.readUInt32BE(end)) >>> 0
}

/** A wrong byte anywhere under the checksum, but for the one that says where that begins. */
function wrongHead(block: Buffer): Buffer[] {
  const start = startOf(block)
  if (start === null) return []
  const wanted = syndromeOf(block, start)
  const last = block.length - CRC_SIZE_BYTES - 1
  const startField = block.length - TRAILER_SIZE_BYTES
  const found: Buffer[] = []
  for (let difference = 1; difference < 256; difference++) {
    let syndrome = CRC32_TABLE[difference] ?? 0
    for (let at = last; at >= start; at--) {
      const inStartField = at >= startField && at < startField + 4
      if (syndrome === wanted && !inStartField) found.push(withByte(block, at, difference))
      syndrome = ((CRC32_TABLE[syndrome & 0xff] ?? 0) ^ (syndrome >>> 8)) >>> 0
    }
  }
  return found
}

/** A wrong byte in the field that says where the heads begin. */
function wrongStart(block: Buffer): Buffer[] {
  const found: Buffer[] = []
  const field = block.length - TRAILER_SIZE_BYTES
  for (let at = field; at < field + 4; at++)
    for (let difference = 1; difference < 256; difference++) {
      const candidate = withByte(block, at, difference)
      const start = startOf(candidate)
      if (start !== null && syndromeOf(candidate, start) === 0) found.push(candidate)
    }
  return found
}

/** A wrong byte in the checksum itself. */
function wrongChecksum(block: Buffer): Buffer[] {
  const start = startOf(block)
  if (start === null) return []
  const end = block.length - CRC_SIZE_BYTES
  const syndrome = syndromeOf(block, start)
  for (let index = 0; index < CRC_SIZE_BYTES; index++) {
    const shift = 8 * (CRC_SIZE_BYTES - 1 - index)
    const difference = (syndrome >>> shift) & 0xff
    if ((difference << shift) >>> 0 === syndrome) return [withByte(block, end + index, difference)]
  }
  return []
}
