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
 *   valid               | diverges               | reject the snapshot, replay from an older one
 *   none                | diverges               | quarantine: ERR_DIVERGENCE names the seq
 *
 * Invariants:
 *   V1. Recovery performs no host call (J5) and writes nothing but rejections of snapshots.
 *   V2. An engine that was restored from a snapshot which is rejected later is never used.
 */
import { isLoomError, LoomError } from '../base/errors.ts'
import { formatActorKey } from '../base/names.ts'
import { decodeEntry } from '../journal/codec.ts'
import type { CreatedEntry, TurnEntry } from '../journal/entry.ts'
import type { ActorLog, ActorRecord, JournalRow } from '../store/store.ts'
import type { ActorProgram } from './program.ts'
import { decodeSnapshot, type Snapshot } from './snapshot.ts'
import { type EngineEnvironment, TurnEngine } from './turn-engine.ts'

/** Entries read at once: bounds memory, and amortises a round trip to the store. */
const PAGE_ENTRIES = 1_024

export interface RecoveryInput {
  readonly log: Pick<ActorLog, 'key' | 'read' | 'readSnapshot' | 'rejectSnapshot'>
  readonly record: ActorRecord
  readonly seqNext: number
  readonly program: ActorProgram
  readonly environment: EngineEnvironment
}

export interface Recovered {
  readonly engine: TurnEngine
  /** Seq of the snapshot that was restored; 0 when there was none. */
  readonly snapshotSeq: number
}

/** @throws ERR_JOURNAL_CORRUPT, ERR_DIVERGENCE (data: seq), ERR_STORE */
export async function recover(input: RecoveryInput): Promise<Recovered> {
  const created = await readCreated(input)
  let seqMax = input.seqNext
  for (;;) {
    const snapshot = await newestSnapshot(input, seqMax)
    const engine = TurnEngine.startReplay(input.program, input.environment, created.calls)
    try {
      if (snapshot !== null) engine.restore(snapshot.image)
      await replaySuffix(input, engine, snapshot?.seq ?? 1)
      return { engine, snapshotSeq: snapshot?.seq ?? 0 }
    } catch (error) {
      if (snapshot === null || !condemnsSnapshot(error)) throw error
      await input.log.rejectSnapshot(snapshot.seq)
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

function damagedJournal(name: string, seq: number, reason: string): LoomError {
  return new LoomError('ERR_JOURNAL_CORRUPT', `${name}: journal entry ${seq}: ${reason}`, {
    data: { actor: name, seq },
  })
}

/** Decodes an entry; its error names the actor as well. */
export function decodeNamed(name: string, row: JournalRow): CreatedEntry | TurnEntry {
  try {
    return decodeEntry(row.seq, row.bytes)
  } catch (error) {
    if (!isLoomError(error)) throw damagedJournal(name, row.seq, 'its payload cannot be read')
    throw new LoomError(error.code, `${name}: ${error.message}`, {
      data: { ...error.data, actor: name },
    })
  }
}

/** The newest snapshot that can be read and is of this actor's life; others are rejected on the way. */
async function newestSnapshot(input: RecoveryInput, seqMax: number): Promise<Snapshot | null> {
  for (;;) {
    const row = await input.log.readSnapshot(seqMax)
    if (row === null) return null
    try {
      const snapshot = decodeSnapshot(row.seq, row.bytes)
      if (belongs(snapshot, input.record)) return snapshot
    } catch (error) {
      if (!condemnsSnapshot(error)) throw error
    }
    await input.log.rejectSnapshot(row.seq)
  }
}

function belongs(snapshot: Snapshot, record: ActorRecord): boolean {
  return snapshot.digest === record.digest && snapshot.incarnation === record.incarnation
}

async function replaySuffix(
  input: RecoveryInput,
  engine: TurnEngine,
  seqFrom: number,
): Promise<void> {
  for await (const { seq, entry } of readTurns(input.log, seqFrom, input.seqNext)) {
    const method = input.program.findMethod(entry.method)
    if (method === undefined) throw unknownMethod(input, seq, entry)
    const replayed = engine.replay(seq, entry, method)
    if (replayed !== undefined) await replayed
  }
}

function unknownMethod(input: RecoveryInput, seq: number, entry: TurnEntry): LoomError {
  const expected = `method ${entry.method}`
  return new LoomError(
    'ERR_DIVERGENCE',
    `entry ${seq} of ${formatActorKey(input.log.key)}: ${input.program.digest} has no ${expected}`,
    { data: { seq, expected, got: 'no such method' } },
  )
}

export interface SequencedTurn {
  readonly seq: number
  readonly entry: TurnEntry
}

/** Turn entries `seqFrom` to `seqNext - 1`. @throws ERR_JOURNAL_CORRUPT when one is damaged or missing. */
export async function* readTurns(
  log: Pick<ActorLog, 'key' | 'read'>,
  seqFrom: number,
  seqNext: number,
): AsyncGenerator<SequencedTurn> {
  const name = formatActorKey(log.key)
  let seq = seqFrom
  while (seq < seqNext) {
    const rows = await log.read(seq, Math.min(PAGE_ENTRIES, seqNext - seq))
    if (rows.length === 0) throw damagedJournal(name, seq, 'the entry is missing')
    for (const row of rows) {
      if (row.seq !== seq) throw damagedJournal(name, seq, 'the entry is missing')
      const entry = decodeNamed(name, row)
      if (entry.kind !== 'turn') throw damagedJournal(name, seq, 'a second "created"')
      yield { seq, entry }
      seq++
    }
  }
}
