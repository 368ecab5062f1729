/**
 * The parts of an activation, and how they are joined.
 *
 * Owns: which parts there are. Does not own: any of their work, nor the states (activation.ts).
 */
import type { LoomError } from '../../base/errors.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { OnLost } from '../journal/journal-tail.ts'
import { SnapshotWriter } from '../journal/snapshot-writer.ts'
import type { CallHead } from '../mailbox/invocation.ts'
import type { LocalActor } from '../mailbox/local-call.ts'
import { Mailbox } from '../mailbox/mailbox.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import type { ActivationOptions } from './activation-options.ts'
import { ActivationPorts } from './ports.ts'
import { Queries } from './queries.ts'
import { ActorTimers, type Timers } from './timers.ts'
import { TurnJournal } from './turn-journal.ts'

export interface ActivationParts {
  readonly journal: TurnJournal
  readonly mailbox: Mailbox
  readonly timers: ActorTimers
  readonly queries: Queries
  readonly snapshots: SnapshotWriter
  readonly environment: EngineEnvironment
}

/** What the parts need of their activation: the ticks of timers are calls. */
interface Whole extends LocalActor {
  call(head: CallHead): Promise<WitValue>
  /** A commit failed. Returns what everybody is told. */
  lost(error: unknown): LoomError
}

/** `seqNext`: what is journaled now. */
export function joinParts(
  options: ActivationOptions,
  seqNext: number,
  whole: Whole,
): ActivationParts {
  const { log, environment, program, onTick } = options
  const { clock } = environment
  const warn = (message: string): void => environment.log('warn', message)
  const timers = new ActorTimers({ clock, program, call: (head) => whole.call(head), onTick, warn })
  const onTimers = (set: Timers, atMs: number): void => timers.apply(set, atMs)
  const onLost: OnLost = (error) => whole.lost(error)
  const journal = new TurnJournal(options, clock, seqNext, { onTimers, onLost })
  const ports = new ActivationPorts(whole, journal, options)
  const snapshots = new SnapshotWriter(options, journal.tail)
  const mailbox = new Mailbox(log.key, options)
  const own = { ...environment, ports }
  const queries = new Queries(program, own, options.queries)
  return { journal, mailbox, timers, snapshots, queries, environment: own }
}
