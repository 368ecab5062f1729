/**
 * Snapshot writer: when one actor's snapshot is due, and writing it.
 *
 * Owns: the seq of the newest snapshot. Does not own: the envelope (snapshot.ts), reading (recovery.ts).
 *
 * Invariant SW1: a snapshot is written only when all entries that it covers are durable.
 */
import { ignoreOutcome } from '../base/promises.ts'
import type { ActorRecord } from '../store/store.ts'
import type { ActivationOptions } from './activation-options.ts'
import type { JournalTail } from './journal-tail.ts'
import { encodeSnapshot } from './snapshot.ts'
import type { TurnEngine } from './turn-engine.ts'

export class SnapshotWriter {
  readonly #options: ActivationOptions
  readonly #tail: JournalTail
  /** Seq of the newest snapshot; 0 when there is none. */
  seq = 0

  constructor(options: ActivationOptions, tail: JournalTail) {
    this.#options = options
    this.#tail = tail
  }

  /** True when something was journaled since the last snapshot; the created entry alone does not count. */
  get useful(): boolean {
    return this.#tail.seqNext > Math.max(1, this.seq)
  }

  get due(): boolean {
    return this.#tail.seqNext - this.seq >= this.#options.snapshotIntervalTurns
  }

  async writeIfUseful(engine: TurnEngine | null, record: ActorRecord | null): Promise<void> {
    if (this.useful) await this.write(engine, record)
  }

  writeIfDue(engine: TurnEngine | null, record: ActorRecord | null): void {
    if (this.due) ignoreOutcome(this.write(engine, record))
  }

  /** Captures the state at once; resolves when it is written, or cannot be. Never rejects. */
  async write(engine: TurnEngine | null, record: ActorRecord | null): Promise<void> {
    if (engine === null || record === null) return
    const { log, epoch, program, environment } = this.#options
    const tail = this.#tail
    const { uncaptured } = program
    const warn = (message: string): void => environment.log('warn', message)
    const { digest, incarnation } = record
    const seq = tail.seqNext
    this.seq = seq
    if (uncaptured !== null) {
      warn(`no snapshot at ${seq}: the component ${uncaptured}`)
      return
    }
    try {
      const image = engine.capture()
      const bytes = encodeSnapshot({ digest, incarnation, seq, epoch, image })
      await tail.last
      await log.writeSnapshot({ seq, bytes })
    } catch (error) {
      // Without the snapshot nothing is lost: recovery replays more. A fenced host learns it here too.
      warn(`no snapshot at ${seq}: ${String(error)}`)
    }
  }
}
