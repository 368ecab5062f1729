/**
 * Shared fate: what an actor's next commit rests on, in journals of other actors of this host.
 *
 * A callee's turn rests on what its caller has journaled of the turn that calls; a caller that was told of a turn
 * which is not durable yet rests on that turn. Neither may become durable without the other.
 *
 * Owns: that rule. Does not own: who calls whom (runtime/actor-calls.ts), the order of commits (store.ts S7).
 *
 * Invariants:
 *   SF1. A commit is appended only when everything that it rests on is durable, or waits ahead of it.
 *   SF2. What waits ahead shares its fate from then on: when it fails, so does everything behind it (S7), and
 *        everything that the same actor appends later (S4). So only what was learnt since the actor's last commit
 *        has to be looked at.
 */
import { LoomError } from '../../base/errors.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'

/** The journal of an actor of this host (journal-tail.ts). */
interface Journal {
  readonly key: ActorKey
  /** Entries below are durable. */
  readonly seqDurable: number
  /** Why the others are lost, if they are. */
  readonly broken: LoomError | null
}

/** A place in a journal: the entries before `seq`. */
export interface Place {
  readonly tail: Journal
  readonly seq: number
}

export class SharedFate {
  readonly #key: ActorKey
  #places: Place[] = []

  constructor(key: ActorKey) {
    this.#key = key
  }

  /** Whatever is appended next rests on `place`. @throws ERR_COMMIT when that is lost already. */
  restOn(place: Place): void {
    this.#check(place)
    this.#places.push(place)
  }

  /** Something is appended now. @throws ERR_COMMIT, now and ever after, when it must not be (SF1). */
  commit(): void {
    if (this.#places.length === 0) return
    for (const place of this.#places) this.#check(place)
    this.#places = []
  }

  #check({ tail, seq }: Place): void {
    if (tail.seqDurable >= seq || tail.broken === null) return
    const [own, other] = [formatActorKey(this.#key), formatActorKey(tail.key)]
    const message = `${own}: a turn of ${other}, on which its own rests, is lost`
    throw new LoomError('ERR_COMMIT', message, { cause: tail.broken })
  }
}
