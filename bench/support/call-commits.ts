/**
 * What calls between actors leave in the store, without any turn: the same entries, encoded and appended in the same
 * order, so that their cost can be taken off that of a call.
 *
 * Owns: those entries. Does not own: measuring.
 */
import { encodeEntry } from '../../host/journal/codec.ts'
import type { JournalEntry, RecordedCall } from '../../host/journal/entry.ts'
import type { ActorLog, Commit, Store } from '../../host/store/store.ts'

const AT_MS = 1_760_000_000_000
const ID = '0123456789abcdef0123456789abcdef'
const CALLED: RecordedCall = {
  target: 'loom:actor/actors@0.2.0#call',
  argsHash: 0x89abcdef,
  result: { tag: 'ok', val: '"17"' },
}
const NO_CALLS: readonly RecordedCall[] = []
const ASKED = ['Counter', 'Counter-17', 'increment', '[1]']
const ASK = { atMs: AT_MS, idempotencyKey: null, method: 'ask', args: ASKED, caller: null }
const OUTCOME = { kind: 'returned', value: 17n } as const
const ENDED = { atMs: AT_MS, effects: [], outcome: OUTCOME }

/** A journal that somebody appends to. */
class Journal {
  readonly log: ActorLog
  #seq = 0

  constructor(log: ActorLog) {
    this.log = log
    const create = { ...log.key, incarnation: ID, digest: 'none', createdAtMs: AT_MS }
    void this.append({ kind: 'created', atMs: AT_MS, ...log.key, ...create, calls: [] }, { create })
  }

  get seqNext(): number {
    return this.#seq
  }

  append(entry: JournalEntry, more: Omit<Commit, 'seq' | 'entries'> = {}): Promise<void> {
    const seq = this.#seq++
    return this.log.append({ seq, entries: [encodeEntry(seq, entry)], ...more })
  }
}

export interface CallCommits {
  /** A turn that calls nobody. */
  plain(index: number): Promise<void>
  /** A turn that calls another actor so many times, and the turns of that one. */
  calling(index: number, calls: number): Promise<void>
}

/** Over as many pairs of actors. */
export async function callCommits(store: Store, pairs: number): Promise<CallCommits> {
  const journals = async (type: string): Promise<Journal[]> => {
    const ids = Array.from({ length: pairs }, (_, index) => `${type}-${index}`)
    return await Promise.all(ids.map(async (id) => new Journal(await store.openLog({ type, id }))))
  }
  const [callers, callees] = [await journals('Committing'), await journals('Committed')]
  let turns = 0
  const answer = (callee: Journal, key: string): void => {
    const { seqNext: seq } = callee
    const head = {
      atMs: AT_MS,
      idempotencyKey: key,
      invocationId: null,
      caller: 'Courier/Courier-17',
    }
    void callee.append(
      { kind: 'turn', method: 'increment', args: [1], calls: NO_CALLS, ...head, ...ENDED },
      { idempotency: [{ key, seq, atMs: AT_MS }] },
    )
  }
  return {
    plain: (index) =>
      (callers[index % pairs] as Journal).append({
        kind: 'turn',
        invocationId: null,
        calls: NO_CALLS,
        ...ASK,
        ...ENDED,
      }),
    async calling(index, calls) {
      const caller = callers[index % pairs] as Journal
      const callee = callees[index % pairs] as Journal
      const turn = turns++
      const invocationId = `${turn}`.padStart(ID.length, '0')
      const keyOf = (call: number): string => `@loom/call/${ID}/${call}/${invocationId}`
      const openedSeq = caller.seqNext
      void caller.append({ kind: 'opened', invocationId, calls: NO_CALLS, ...ASK }, { open: true })
      for (let call = 0; call < calls; call++) {
        if (call > 0) void caller.append({ kind: 'continued', atMs: AT_MS, calls: [CALLED] })
        answer(callee, keyOf(call))
      }
      await caller.append({ kind: 'closed', openedSeq, calls: [CALLED], ...ENDED }, { open: false })
      for (let call = 0; call < calls; call++) callee.log.forgetKey(keyOf(call))
    },
  }
}
