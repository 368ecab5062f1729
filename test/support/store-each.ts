// What every suite of the Store contract begins with: a store over an empty place, and the log of one actor.
import { beforeEach } from 'vitest'
import type { ActorKey } from '../../host/base/names.ts'
import type { ActorLog, Store, StoreDriver } from '../../host/store/store.ts'
import { options } from './store-fixtures.ts'

export interface OpenedStore {
  readonly driver: StoreDriver
  readonly store: Store
  /** Of the actor `key`. */
  readonly log: ActorLog
}

/** The variables of a suite; a test may have put another store into them. */
export interface Variables {
  readonly given: () => Store
  readonly take: (opened: OpenedStore) => void
}

async function open(driver: StoreDriver, key: ActorKey): Promise<OpenedStore> {
  const store = await driver.open(options)
  return { driver, store, log: await store.openLog(key) }
}

/** Opens a store before each test and closes it afterwards. Returns what closes it and opens it again. */
export function openEach(
  make: () => StoreDriver,
  key: ActorKey,
  { given, take }: Variables,
): () => Promise<void> {
  let driver: StoreDriver
  beforeEach(async () => {
    driver = make()
    take(await open(driver, key))
    return async () => {
      await given().close()
    }
  })
  return async () => {
    await given().close()
    take(await open(driver, key))
  }
}
