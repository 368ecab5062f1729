/**
 * Followers: what of many journals is told when one commit is durable, or lost.
 *
 * A store commits for many actors at once and gives all of them the same promise. A reaction and two closures for each
 * cost more than what they do, so the followers of the promise that was given last share one.
 *
 * Owns: that list. Does not own: what a follower does (journal-tail.ts).
 *
 * Invariants:
 *   FO1. Followers of one promise are told in the order in which they began to follow, as reactions would be.
 *   FO2. One that throws, as none should, keeps none of the others from being told; what it throws nobody handles.
 */
export interface Follower {
  durable(): void
  lost(error: unknown): void
}

interface Following {
  readonly promise: Promise<void>
  readonly followers: Follower[]
}

let latest: Following | null = null

/** Tells `follower` when `promise` is settled. */
export function follow(promise: Promise<void>, follower: Follower): void {
  if (latest?.promise === promise) latest.followers.push(follower)
  else latest = begin(promise, follower)
}

function begin(promise: Promise<void>, first: Follower): Following {
  const following = { promise, followers: [first] }
  const tell = (how: (follower: Follower) => void): void => {
    // Who begins to follow from now on would come too late for the list.
    if (latest === following) latest = null
    for (const follower of following.followers)
      try {
        how(follower)
      } catch (error) {
        void Promise.reject(error)
      }
  }
  promise.then(
    () => tell((follower) => follower.durable()),
    (error) => tell((follower) => follower.lost(error)),
  )
  return following
}
