/**
 * Recovery: from what the store holds to an engine with the exact state.
 *
 * Owns: the decision what to do with a journal and its snapshots, and doing it.
 * Does not own: what happens to calls when recovery fails (activation.ts).
 *
 * What is found, and what is done:
 *
 *   snapshot            | suffix of the journal  | action
 *   --------------------+------------------------+------------------------------------------------
 *   none                | intact                 | replay from the first entry
 *   valid               | intact                 | restore, replay the suffix
 *   damaged or foreign  | -                      | reject it, take the next older one
 *   any                 | damaged entry          | quarantine: ERR_JOURNAL_CORRUPT names the seq
 *   any                 | missing entry          | quarantine: ERR_JOURNAL_CORRUPT names the seq
 *   any                 | blob missing, damaged  | quarantine: ERR_JOURNAL_CORRUPT names seq and digest
 *   valid               | diverges               | reject the snapshot, replay from an older one
 *   none                | diverges               | quarantine: ERR_DIVERGENCE names the seq
 *   any                 | uses up the stack      | replay it on a larger one, go on from the state that it ends in
 *   none                | begins behind a cut    | quarantine: ERR_JOURNAL_CORRUPT names the cut
 *   any                 | ends in an open turn   | hand it out: it is run again from its prefix
 *
 * Invariants:
 *   V3. Entry 0 is read where it says something: what instantiation recorded, or that the journal begins. Behind a
 *       snapshot of a program that starts quietly it says neither, and a cold actor is one look at the store sooner hot.
 *   V1. Recovery performs no host call (J5) and writes nothing but rejections of snapshots.
 *   V4. How deep a guest may call is the engine's to say: code that it has optimised goes several times deeper than in
 *       the process that replays it. So the stack of a replay must not be what ends it.
 *   V2. An engine that was restored from a snapshot which is rejected later is never used.
 */
import { isLoomError, LoomError } from '../../base/errors.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import { STACK_USED_UP } from '../../component/refuse.ts'
import type { CreatedEntry, RecordedCall } from '../../journal/entry.ts'
import type { ActorLog, ActorRecord } from '../../store/store.ts'
import { methodOfTurn } from '../program/host-methods.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import { TurnEngine } from '../turn/turn-engine.ts'
import { decodeSnapshot, type Snapshot } from './snapshot.ts'
import { damagedJournal, decodeNamed, type OpenTurn, TurnReader } from './turn-reader.ts'

/** What is replayed on a larger stack: the entries from `seqFrom` on, behind `image`, or behind the start. */
export interface DeepSuffix {
  readonly log: RecoveryInput['log']
  readonly record: ActorRecord
  readonly seqFrom: number
  readonly seqNext: number
  /** What instantiation recorded. */
  readonly calls: readonly RecordedCall[]
  readonly image: Uint8Array | null
}

/** Replays a suffix, returns the image of its end. @throws ERR_DIVERGENCE, ERR_JOURNAL_CORRUPT, ERR_STORE */
export type DeepReplay = (suffix: DeepSuffix) => Promise<Uint8Array>

export interface RecoveryInput {
  readonly log: Pick<ActorLog, 'key' | 'seqFirst' | 'read' | 'readSnapshot' | 'rejectSnapshot'>
  readonly record: ActorRecord
  readonly seqNext: number
  readonly program: ActorProgram
  readonly environment: EngineEnvironment
  /** Null where there is no larger stack (V4). */
  readonly deepReplay: DeepReplay | null
}

export interface Recovered {
  readonly engine: TurnEngine
  /** Seq of the snapshot that was restored; 0 when there was none. */
  readonly snapshotSeq: number
  /** Seq of the newest snapshot that was rejected on the way; 0 when none was. */
  readonly rejectedSeq: number
  /** The turn that the journal ends in the middle of; the engine's state is that before it. */
  readonly openTurn: OpenTurn | null
}

const NO_CALLS: readonly RecordedCall[] = Object.freeze([])

/** @throws ERR_JOURNAL_CORRUPT, ERR_DIVERGENCE (data: seq), ERR_STORE */
export async function recover(input: RecoveryInput): Promise<Recovered> {
  let created: CreatedEntry | null = null
  let seqMax = input.seqNext
  let rejectedSeq = 0
  const reject = async (seq: number): Promise<void> => {
    rejectedSeq = Math.max(rejectedSeq, seq)
    await input.log.rejectSnapshot(seq)
  }
  for (;;) {
    const snapshot = await newestSnapshot(input, seqMax, reject)
    if (snapshot === null) refuseTrimmed(input)
    const isQuiet = snapshot !== null && input.program.startsQuietly
    if (!isQuiet) created ??= await readCreated(input)
    const calls = created?.calls ?? NO_CALLS
    try {
      const rebuilt = await rebuild(input, calls, snapshot)
      return { ...rebuilt, snapshotSeq: snapshot?.seq ?? 0, rejectedSeq }
    } catch (error) {
      if (snapshot === null || !condemnsSnapshot(error)) throw error
      await reject(snapshot.seq)
      seqMax = snapshot.seq - 1
    }
  }
}

function condemnsSnapshot(error: unknown): boolean {
  return (
    isLoomError(error) && (error.code === 'ERR_DIVERGENCE' || error.code === 'ERR_SNAPSHOT_CORRUPT')
  )
}

/** Entry 0. @throws ERR_JOURNAL_CORRUPT */
export async function readCreated(
  input: Pick<RecoveryInput, 'log' | 'record'>,
): Promise<CreatedEntry> {
  const [row] = await input.log.read(0, 1)
  const name = formatActorKey(input.log.key)
  if (row === undefined) throw damagedJournal(name, 0, 'the entry is missing')
  const entry = decodeNamed(name, row)
  if (entry.kind !== 'created') throw damagedJournal(name, 0, 'it does not begin with "created"')
  if (entry.incarnation !== input.record.incarnation || entry.digest !== input.record.digest)
    throw damagedJournal(name, 0, 'it belongs to another actor or component')
  return entry
}

/** The newest snapshot that can be read and is of this actor's life; others are rejected on the way. */
async function newestSnapshot(
  input: RecoveryInput,
  seqMax: number,
  reject: (seq: number) => Promise<void>,
): Promise<Snapshot | null> {
  for (;;) {
    const row = await input.log.readSnapshot(seqMax)
    if (row === null) return null
    try {
      const snapshot = decodeSnapshot(row.seq, row.bytes)
      if (belongs(snapshot, input.record)) return snapshot
    } catch (error) {
      if (!condemnsSnapshot(error)) throw error
    }
    await reject(row.seq)
  }
}

/** A journal whose beginning was given up can only be replayed from a snapshot. */
function refuseTrimmed({ log }: RecoveryInput): void {
  const { seqFirst } = log
  if (seqFirst === 1) return
  const reason = `entries before ${seqFirst} were given up, and no snapshot behind them can be used`
  throw damagedJournal(formatActorKey(log.key), seqFirst - 1, reason)
}

function belongs(snapshot: Snapshot, record: ActorRecord): boolean {
  return snapshot.digest === record.digest && snapshot.incarnation === record.incarnation
}

type Rebuilt = Pick<Recovered, 'engine' | 'openTurn'>

async function rebuild(
  input: RecoveryInput,
  calls: readonly RecordedCall[],
  snapshot: Snapshot | null,
): Promise<Rebuilt> {
  const { log, program, environment, deepReplay } = input
  const engine = TurnEngine.startReplay(program, environment, calls)
  if (snapshot !== null) engine.restore(snapshot.image)
  const seqFrom = snapshot?.seq ?? 1
  const turns = new TurnReader(log, seqFrom, input.seqNext)
  try {
    await replayTurns(turns, engine, log.key, program)
    return { engine, openTurn: turns.openTurn }
  } catch (error) {
    if (!usesUpStack(error) || deepReplay === null || program.uncaptured !== null) throw error
    const { record, seqNext } = input
    const image = snapshot?.image ?? null
    const state = await deepReplay({ log, record, seqFrom, seqNext, calls, image })
    return await rebuiltAs(input, calls, state, seqFrom)
  }
}

/** V4. `state`: that behind the last whole turn from `seqFrom` on. */
async function rebuiltAs(
  { log, program, environment, seqNext }: RecoveryInput,
  calls: readonly RecordedCall[],
  state: Uint8Array,
  seqFrom: number,
): Promise<Rebuilt> {
  const engine = TurnEngine.startReplay(program, environment, calls)
  engine.restore(state)
  const turns = new TurnReader(log, seqFrom, seqNext)
  await turns.each(() => {})
  return { engine, openTurn: turns.openTurn }
}

/** A turn that returned once has used up the stack now (V4). */
export function usesUpStack(error: unknown): boolean {
  if (!isLoomError(error) || error.code !== 'ERR_DIVERGENCE') return false
  const { cause } = error
  return isLoomError(cause) && cause.code === 'ERR_TRAP' && cause.data.reason === STACK_USED_UP
}

/** Runs whole turns again. @throws ERR_DIVERGENCE, ERR_JOURNAL_CORRUPT */
export async function replayTurns(
  turns: TurnReader,
  engine: TurnEngine,
  key: ActorKey,
  program: ActorProgram,
): Promise<void> {
  await turns.each((seq, _, entry) => {
    const method = methodOfTurn(program, entry.method)
    if (method === undefined) throw unknownMethod(key, program, seq, entry.method)
    return engine.replay(seq, entry, method)
  })
}

/** What an entry means whose method the program does not have. */
export function unknownMethod(
  key: ActorKey,
  program: ActorProgram,
  seq: number,
  method: string,
): LoomError {
  const expected = `method ${method}`
  return new LoomError(
    'ERR_DIVERGENCE',
    `entry ${seq} of ${formatActorKey(key)}: ${program.digest} has no ${expected}`,
    { data: { seq, expected, got: 'no such method' } },
  )
}
