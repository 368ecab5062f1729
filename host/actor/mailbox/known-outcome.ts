/**
 * Known outcomes: the answer to a retry, from the journal.
 */
import { isLoomError, LoomError } from '../../base/errors.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import type { JournalEntry, TurnHead, TurnOutcome } from '../../journal/entry.ts'
import { isSameValue } from '../../journal/values.ts'
import type { ActorLog } from '../../store/store.ts'
import type { JournalTail } from '../journal/journal-tail.ts'
import { damagedJournal, decodeNamed, type ReadableLog } from '../journal/turn-reader.ts'
import type { CallHead, Invocation } from './invocation.ts'
import { commitError, forgotten, settle } from './outcomes.ts'

/** Answers a retry from the entry of the first call. Never rejects. */
export async function answerAgain(
  log: ReadableLog,
  tail: JournalTail,
  invocation: Invocation,
  seq: number,
  seqFirst: number,
): Promise<void> {
  try {
    // A commit that is on its way is known too (A2).
    if (seq >= tail.seqDurable) await tail.last
    settle(invocation.waiter, await readKnownOutcome(log, seq, invocation))
  } catch (error) {
    const given = seq < seqFirst ? forgotten(log.key) : commitError(log.key, error)
    invocation.waiter.reject(given)
  }
}

/**
 * The outcome of the turn that ends at entry `seq`, for a retry of the same call.
 * @throws ERR_IDEMPOTENCY_MISMATCH  the first call was another one.
 * @throws ERR_JOURNAL_CORRUPT       the entry is damaged, missing, or not the end of a turn.
 */
async function readKnownOutcome(
  log: ReadableLog,
  seq: number,
  { method, args, idempotencyKey }: Invocation,
): Promise<TurnOutcome> {
  const key = idempotencyKey ?? ''
  const { head, outcome } = await readTurn(log, seq, key)
  if (head.method !== method.name || !isSameValue(head.args, args))
    throw keyMismatch(log.key, key, head.method)
  return outcome
}

interface KnownTurn {
  readonly head: TurnHead
  readonly outcome: TurnOutcome
}

async function readTurn(log: ReadableLog, seq: number, key: string): Promise<KnownTurn> {
  const end = await readEntry(log, seq)
  if (end.kind !== 'turn' && end.kind !== 'closed') throw noTurn(log, seq, key)
  const head = end.kind === 'turn' ? end : await readEntry(log, end.openedSeq)
  if (head.kind !== 'turn' && head.kind !== 'opened') throw noTurn(log, seq, key)
  return { head, outcome: end.outcome }
}

/**
 * `known`, where that is found; else the seq of the entry at which the same call ended under `formerKey`; null when there
 * is none, or it was another call.
 */
export async function findEither(
  log: ReadableLog & Pick<ActorLog, 'findIdempotent'>,
  tail: JournalTail,
  known: number | null | Promise<number | null>,
  { method, args, formerKey }: Pick<CallHead, 'method' | 'args'> & { readonly formerKey: string },
): Promise<number | null> {
  const found = await known
  if (found !== null) return found
  const seq = await log.findIdempotent(formerKey)
  if (seq === null) return null
  // A commit that is on its way is known too (A2).
  if (seq >= tail.seqDurable) await tail.last
  try {
    const { head } = await readTurn(log, seq, formerKey)
    return head.method === method.name && isSameValue(head.args, args) ? seq : null
  } catch (error) {
    // Nobody knows whether it was this call: answering it from there says so.
    if (isLoomError(error) && error.kind === 'corrupt') return seq
    throw error
  }
}

async function readEntry(log: ReadableLog, seq: number): Promise<JournalEntry> {
  const [row] = await log.read(seq, 1)
  const name = formatActorKey(log.key)
  if (row === undefined) throw damagedJournal(name, seq, 'the entry is missing')
  return decodeNamed(name, row)
}

function noTurn(log: ReadableLog, seq: number, key: string): LoomError {
  const reason = `it is not the end of a turn with idempotency key ${JSON.stringify(key)}`
  return damagedJournal(formatActorKey(log.key), seq, reason)
}

export function keyMismatch(actor: ActorKey, key: string, method: string): LoomError {
  return new LoomError(
    'ERR_IDEMPOTENCY_MISMATCH',
    `${formatActorKey(actor)}: idempotency key ${JSON.stringify(key)} was used for another call of ${method}`,
  )
}
