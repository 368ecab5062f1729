/**
 * Creation: an actor's first instance, and what its journal begins with.
 */
import { encodeEntry } from '../../journal/codec.ts'
import type { ActorRecord } from '../../store/store.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import { TurnEngine } from '../turn/turn-engine.ts'

export interface Created {
  readonly engine: TurnEngine
  readonly record: ActorRecord
  /** Entry 0. */
  readonly entry: Uint8Array
}

/** @throws ERR_TRAP, ERR_HOST_CALL */
export function createActor(program: ActorProgram, environment: EngineEnvironment): Created {
  const { engine, calls } = TurnEngine.startLive(program, environment)
  const { key, incarnation, clock } = environment
  const { type, id } = key
  const { digest } = program
  const createdAtMs = clock.wallMs()
  // Written out, so that it is one object: it is kept for every warm actor.
  const record = { type, id, incarnation, digest, createdAtMs }
  const entry = encodeEntry(0, {
    kind: 'created',
    atMs: createdAtMs,
    type,
    id,
    incarnation,
    digest,
    calls,
  })
  return { engine, record, entry }
}
