/**
 * A store that keeps no turn: a commit behind an actor's first one is forgotten, and told to be durable in the next
 * macrotask. What is measured with it is everything but commits.
 *
 * Owns: that. Does not own: an actor's first commit, and all else (the store it is put before).
 */
import type { ActorLog, Commit, Store, StoreDriver } from '../../host/store/store.ts'

/** What is appended in one macrotask is durable in the next, as one promise. */
class Groups {
  #group: Promise<void> | null = null

  join(): Promise<void> {
    this.#group ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#group = null
        resolve()
      })
    })
    return this.#group
  }
}

function unkeptLog(inner: ActorLog, groups: Groups): ActorLog {
  const changes: Partial<ActorLog> = {
    append: (commit: Commit) => (commit.seq === 0 ? inner.append(commit) : groups.join()),
    findIdempotent: () => null,
    forgetKey: () => {},
    writeSnapshot: async () => {},
  }
  return overlaid(inner, changes)
}

function overlaid<T extends object>(inner: T, changes: Partial<T>): T {
  const names = new Set<string>()
  for (let at: object = inner; at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
  const outer: Record<string, unknown> = {}
  for (const name of names) {
    const given = changes[name as keyof T] ?? inner[name as keyof T]
    outer[name] = typeof given === 'function' ? given.bind(inner) : given
  }
  return outer as T
}

export function unkept(driver: StoreDriver): StoreDriver {
  return {
    name: `${driver.name}, nothing kept`,
    async open(options): Promise<Store> {
      const inner = await driver.open(options)
      const groups = new Groups()
      return overlaid<Store>(inner, {
        openLog: async (key) => unkeptLog(await inner.openLog(key), groups),
      })
    },
  }
}
