/**
 * Created actors: an actor's first instance, and the entry that its journal begins with.
 */
import { encodeEntry } from '../journal/codec.ts'
import type { ActorRecord } from '../store/store.ts'
import type { ActorProgram } from './program.ts'
import type { EngineEnvironment } from './turn-context.ts'
import { TurnEngine } from './turn-engine.ts'

export interface CreatedActor {
  readonly engine: TurnEngine
  readonly record: ActorRecord
  readonly entry: Uint8Array
}

/** Instantiates a new actor. @throws ERR_TRAP; ERR_OPTION when what it was told then is too large */
export function createActor(program: ActorProgram, environment: EngineEnvironment): CreatedActor {
  const { engine, calls } = TurnEngine.startLive(program, environment)
  const { key, incarnation, clock } = environment
  const createdAtMs = clock.wallMs()
  const life = { ...key, incarnation, digest: program.digest }
  const entry = encodeEntry(0, { kind: 'created', atMs: createdAtMs, ...life, calls })
  return { engine, record: { ...life, createdAtMs }, entry }
}
