/**
 * The LMDB driver: the default store, one environment in a folder.
 *
 * Owns: the order of opening. Does not own: each step of it.
 *
 *     for reading   open beside whoever is there
 *     for writing   look who owns the folder, without a lock
 *                   -> refuse, or free the lock of a frozen owner (claim.ts)
 *                   -> open with the lock -> claim -> read the tail -> serve
 *
 * Known limit: life of a process is judged by pid, so hosts must share a pid namespace. Two containers
 * that share a folder take it from each other at each start; the epoch still keeps the data whole.
 */
import path from 'node:path'
import { LoomError } from '../../base/errors.ts'
import type { Store, StoreDriver, StoreOpenOptions } from '../store.ts'
import { claimFolder, prepareClaim, readClaim, releaseClaim } from './claim.ts'
import { Environment } from './environment.ts'
import { FORMAT_KEY } from './keys.ts'
import { LmdbStore } from './lmdb-store.ts'
import { checkFormat, type HostClaim } from './records.ts'
import { upgradeFolder } from './upgrade.ts'
import { CHECKPOINT_COMMIT_COUNT } from './writer.ts'

/** A write of a healthy host takes milliseconds; a lock kept this long belongs to a frozen one. */
const PROBE_DEFAULT_MS = 3_000

export interface LmdbOptions {
  /**
   * How long a take-over waits for the writer lock before it ends the frozen process that keeps it.
   * Units: milliseconds. Default 3,000.
   */
  readonly probeMs?: number
  /**
   * How many commits may wait for the index: bounds what opening and readers must read again.
   * Units: commits. Default 16,384.
   */
  readonly checkpointCommits?: number
}

class Lmdb implements StoreDriver {
  readonly name = 'lmdb'
  readonly #folder: string
  readonly #probeMs: number
  readonly #checkpointCommits: number

  constructor(folder: string, options: LmdbOptions) {
    this.#folder = path.resolve(folder)
    this.#probeMs = positive('probeMs', options.probeMs, PROBE_DEFAULT_MS)
    this.#checkpointCommits = positive(
      'checkpointCommits',
      options.checkpointCommits,
      CHECKPOINT_COMMIT_COUNT,
    )
  }

  async open(options: StoreOpenOptions): Promise<Store> {
    if (options.readOnly === true) return this.#openForReading()
    const thaw = await prepareClaim(this.#folder, await this.#peek(), options, this.#probeMs)
    try {
      const environment = Environment.openWritable(this.#folder)
      return await closing(environment, () => this.#claim(environment, options))
    } finally {
      thaw()
    }
  }

  #claim(environment: Environment, options: StoreOpenOptions): Store {
    const claim = claimFolder(environment, options)
    try {
      upgradeFolder(environment, claim.epoch, options.wallMs())
      return new LmdbStore(environment, claim, this.#checkpointCommits)
    } catch (error) {
      releaseClaim(environment, claim)
      throw error
    }
  }

  #openForReading(): Promise<Store> {
    const environment = Environment.openReadOnly(this.#folder)
    return closing(environment, () => {
      const format = environment.get(FORMAT_KEY)
      if (format !== undefined) checkFormat(format)
      return new LmdbStore(environment, null, this.#checkpointCommits)
    })
  }

  /** Who has the folder, found without a lock; null when there is no folder yet. */
  async #peek(): Promise<HostClaim | null> {
    if (!Environment.isIn(this.#folder)) return null
    const environment = Environment.openReadOnly(this.#folder)
    try {
      return readClaim(environment)
    } finally {
      await environment.close()
    }
  }
}

/** Closes the environment when the store cannot be made. */
async function closing(environment: Environment, make: () => Store): Promise<Store> {
  try {
    return make()
  } catch (error) {
    await environment.close()
    throw error
  }
}

/** @throws ERR_OPTION */
function positive(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new LoomError('ERR_OPTION', `${name} ${value}: expected a whole number from 1`)
}

/**
 * A store in `folder`, which is created when it is opened for writing.
 *
 * Durability: a commit resolves after LMDB synced data and meta page (S1). Several processes may read
 * beside the one host; the folder must be on a local file system.
 */
export function lmdb(folder: string, options: LmdbOptions = {}): StoreDriver {
  return new Lmdb(folder, options)
}
