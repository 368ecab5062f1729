// A store driver whose stores and logs do some things otherwise: for faults that no disk can be asked for.
import type { ActorLog, Store, StoreDriver } from '../../host/store/store.ts'

export interface Alterations {
  readonly store?: (inner: Store) => Partial<Store>
  readonly log?: (inner: ActorLog) => Partial<ActorLog>
}

export function alteredDriver(inner: StoreDriver, { store, log }: Alterations): StoreDriver {
  return {
    name: inner.name,
    async open(options) {
      const opened = await inner.open(options)
      const openLog = async (key: ActorLog['key']): Promise<ActorLog> => {
        const found = await opened.openLog(key)
        return altered(found, log?.(found) ?? {})
      }
      return altered(opened, { ...(log && { openLog }), ...store?.(opened) })
    },
  }
}

function altered<T extends object>(inner: T, changes: Partial<T>): T {
  return new Proxy(inner, {
    get(target, property) {
      if (Object.hasOwn(changes, property)) return changes[property as keyof T]
      const value = Reflect.get(target, property) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
