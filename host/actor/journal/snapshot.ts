/**
 * Snapshots: an image with what it belongs to.
 *
 *   offset  0         4
 *           +---------+----------------------------------------------------------
 *           | crc32   | MessagePack [version, digest, incarnation, seq, epoch, image]
 *           +---------+----------------------------------------------------------
 *
 * Owns: the envelope. Does not own: the image inside (image/ for components, the body for classes).
 */
import { crc32 } from '../../base/checksum.ts'
import { LoomError } from '../../base/errors.ts'
import { packAfterHeader, unpackValue } from '../../journal/values.ts'

const VERSION = 1
const HEADER_SIZE_BYTES = 4

export interface Snapshot {
  readonly digest: string
  readonly incarnation: string
  /** The state is that after entry `seq - 1`. */
  readonly seq: number
  /** Epoch of the host that took it. */
  readonly epoch: number
  readonly image: Uint8Array
}

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { digest, incarnation, seq, epoch, image } = snapshot
  const bytes = packAfterHeader(
    [VERSION, digest, incarnation, seq, epoch, image],
    HEADER_SIZE_BYTES,
  )
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, crc32(bytes, HEADER_SIZE_BYTES), true)
  return bytes
}

/** @throws ERR_SNAPSHOT_CORRUPT */
export function decodeSnapshot(seq: number, bytes: Uint8Array): Snapshot {
  const damaged = (reason: string): LoomError =>
    new LoomError('ERR_SNAPSHOT_CORRUPT', `snapshot at ${seq}: ${reason}`, { data: { seq } })
  if (bytes.length <= HEADER_SIZE_BYTES) throw damaged('too short')
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (stored !== crc32(bytes, HEADER_SIZE_BYTES)) throw damaged('its checksum does not fit')
  const [version, digest, incarnation, ownSeq, epoch, image] = unpackValue(
    bytes.subarray(HEADER_SIZE_BYTES),
  ) as [number, string, string, number, number, Uint8Array]
  if (version !== VERSION) throw damaged(`format version ${version} is not known here`)
  if (ownSeq !== seq) throw damaged(`it says seq ${ownSeq}`)
  return { digest, incarnation, seq, epoch, image }
}
