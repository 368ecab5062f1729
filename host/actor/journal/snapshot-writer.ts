/**
 * Snapshot writer: when one actor's snapshot is due, and writing it.
 *
 * A snapshot is due after so many turns, so many journaled bytes, or so long since the last one, and at eviction.
 * The image is taken between two turns, while the commit of the first is on its way; everything else happens behind
 * that commit.
 *
 * Owns: the seq of the newest snapshot. Does not own: the envelope (snapshot.ts), reading (recovery.ts), what is cut
 * behind it (journal-retention.ts).
 *
 * Invariants:
 *   SW1. A snapshot is written only when all entries that it covers are durable.
 *   SW2. Where recovery rejected a snapshot, none is taken up to there: at that seq it would replace the rejected
 *        one, and a state that cannot be captured well is not captured again at once.
 *   SW3. Nobody reads the journal to rebuild the actor while a snapshot is on its way and the journal is cut behind it:
 *        who began to read before would miss what is cut.
 */
import { ignoreOutcome } from '../../base/promises.ts'
import type { ActorLog, ActorRecord } from '../../store/store.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import type { TurnEngine } from '../turn/turn-engine.ts'
import type { IsAwaited } from './awaited-entries.ts'
import { type JournalPolicy, JournalRetention } from './journal-retention.ts'
import type { JournalTail } from './journal-tail.ts'
import { encodeSnapshot } from './snapshot.ts'

/** When snapshots are taken between evictions. */
export interface SnapshotPolicy {
  readonly snapshotIntervalTurns: number
  readonly snapshotIntervalBytes: number
  readonly snapshotIntervalMs: number
  /** What is kept of the journal behind them. */
  readonly journal: JournalPolicy
}

export interface SnapshotWriterOptions extends SnapshotPolicy {
  readonly log: ActorLog
  readonly isAwaited: IsAwaited
  readonly epoch: number
  readonly program: Pick<ActorProgram, 'uncaptured'>
  readonly environment: Pick<EngineEnvironment, 'log'>
}

export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions
  readonly #tail: JournalTail
  readonly #retention: JournalRetention
  /** Seq of the newest snapshot, or of one that was rejected behind it; 0 when there is none (SW2). */
  #seq = 0
  #sizeBytes = 0
  #atMs: number | null = null
  readonly #writing = new Set<Promise<void>>()

  constructor(options: SnapshotWriterOptions, tail: JournalTail) {
    this.#options = options
    this.#tail = tail
    this.#retention = new JournalRetention(options.log, options.journal, options.isAwaited)
  }

  get seq(): number {
    return this.#seq
  }

  /** Seq of the oldest entry that is kept besides entry 0. */
  get seqFirst(): number {
    return this.#retention.seqFirst
  }

  /** After a recovery: what it restored, and what it rejected. */
  recovered(snapshotSeq: number, rejectedSeq: number): void {
    this.#seq = Math.max(snapshotSeq, rejectedSeq)
  }

  /** True when something was journaled since the last snapshot; the created entry alone does not count. */
  get useful(): boolean {
    return this.#tail.seqNext > Math.max(1, this.#seq)
  }

  get due(): boolean {
    const tail = this.#tail
    const options = this.#options
    this.#atMs ??= tail.atMs
    if (tail.seqNext <= this.#seq) return false
    return (
      tail.seqNext - this.#seq >= options.snapshotIntervalTurns ||
      tail.sizeBytes - this.#sizeBytes >= options.snapshotIntervalBytes ||
      tail.atMs - this.#atMs >= options.snapshotIntervalMs
    )
  }

  async writeIfUseful(engine: TurnEngine | null, record: ActorRecord | null): Promise<void> {
    if (this.useful) await this.write(engine, record)
  }

  writeIfDue(engine: TurnEngine | null, record: ActorRecord | null): void {
    if (this.due) ignoreOutcome(this.write(engine, record))
  }

  /** SW3. */
  get isWriting(): boolean {
    return this.#writing.size > 0
  }

  /** Resolves when nothing is on its way (SW3). Never rejects. */
  async settled(): Promise<void> {
    while (this.isWriting) await Promise.all(this.#writing)
  }

  /** Captures the state at once; resolves when it is written, or cannot be. Never rejects. */
  write(engine: TurnEngine | null, record: ActorRecord | null): Promise<void> {
    const written = this.#write(engine, record).finally(() => {
      this.#writing.delete(written)
    })
    this.#writing.add(written)
    return written
  }

  async #write(engine: TurnEngine | null, record: ActorRecord | null): Promise<void> {
    if (engine === null || record === null) return
    const { log, epoch, program, environment } = this.#options
    const tail = this.#tail
    const { uncaptured } = program
    const warn = (message: string): void => environment.log('warn', message)
    const { digest, incarnation } = record
    const seq = tail.seqNext
    this.#seq = seq
    this.#sizeBytes = tail.sizeBytes
    this.#atMs = tail.atMs
    if (uncaptured !== null) {
      warn(`no snapshot at ${seq}: the component ${uncaptured}`)
      return
    }
    try {
      const image = engine.capture()
      await tail.last
      const bytes = encodeSnapshot({ digest, incarnation, seq, epoch, image })
      await log.writeSnapshot({ seq, bytes })
    } catch (error) {
      // Without the snapshot nothing is lost: recovery replays more. A fenced host learns it here too.
      warn(`no snapshot at ${seq}: ${String(error)}`)
      return
    }
    try {
      await this.#retention.apply(record, seq)
    } catch (error) {
      warn(`the journal was not cut behind ${seq}: ${String(error)}`)
    }
  }
}
