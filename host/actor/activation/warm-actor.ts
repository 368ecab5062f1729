/**
 * Warm actors: what is left of an activation that gave up its instance, and what the next one starts from.
 *
 * Owns: what is kept, and the snapshot that it makes when the actor leaves the memory of the host.
 * Does not own: which actors are warm, and for how long (pool/).
 *
 * Invariants:
 *   WA1. The image is the state after entry `seqNext - 1`, and everything up to there is durable: an actor
 *        grows cold at no loss, whether or not its snapshot can be written.
 *   WA2. While an actor is warm nothing else runs it or appends to its journal in this host.
 */
import type { RecordedCall } from '../../journal/entry.ts'
import type { ActorLog, ActorRecord } from '../../store/store.ts'
import { encodeSnapshot } from '../journal/snapshot.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import { TurnEngine } from '../turn/turn-engine.ts'

export interface WarmActor {
  readonly log: ActorLog
  readonly program: ActorProgram
  readonly record: ActorRecord
  readonly seqNext: number
  /** Seq of the newest snapshot; 0 when there is none. */
  readonly snapshotSeq: number
  /** What instantiation recorded. */
  readonly startCalls: readonly RecordedCall[]
  /** May be a part of a larger buffer: whoever keeps it copies it. */
  readonly image: Uint8Array
}

const NO_CALLS: readonly RecordedCall[] = Object.freeze([])

/** Takes the state of an idle actor. */
export function coolEngine(
  engine: TurnEngine,
  { log, program }: Pick<WarmActor, 'log' | 'program'>,
  { record, seqNext, snapshotSeq }: Pick<WarmActor, 'record' | 'seqNext' | 'snapshotSeq'>,
): WarmActor {
  const startCalls = engine.startCalls.length === 0 ? NO_CALLS : engine.startCalls
  const image = engine.capture()
  return { log, program, record, seqNext, snapshotSeq, startCalls, image }
}

/** @throws ERR_BUSY, ERR_SNAPSHOT_CORRUPT */
export function liftEngine(warm: WarmActor, environment: EngineEnvironment): TurnEngine {
  const engine = TurnEngine.startReplay(warm.program, environment, warm.startCalls)
  engine.restore(warm.image)
  return engine
}

/** What a warm actor takes besides its image: objects, strings, places in tables. Measured by bench/memory. */
const OVERHEAD_SIZE_BYTES = 1_000

/** Units: bytes, about. */
export function warmSize({ image }: WarmActor): number {
  return OVERHEAD_SIZE_BYTES + image.byteLength
}

/** True when a snapshot would spare the next activation some replay. */
export function wantsSnapshot({ seqNext, snapshotSeq }: WarmActor): boolean {
  return seqNext > Math.max(1, snapshotSeq)
}

/** @throws ERR_FENCED, ERR_STORE */
export async function writeWarmSnapshot(actor: WarmActor, epoch: number): Promise<void> {
  const { log, record, seqNext: seq, image } = actor
  const { digest, incarnation } = record
  await log.writeSnapshot({
    seq,
    bytes: encodeSnapshot({ digest, incarnation, seq, epoch, image }),
  })
}
