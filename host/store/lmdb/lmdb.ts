/**
 * The LMDB driver: the default store, one environment in a folder.
 *
 * Owns: the order of opening. Does not own: each step of it.
 *
 *     for reading   enter the door: the live host pauses -> open -> leave
 *     for writing   look who owns the folder -> refuse
 *                   or enter the door: the live host pauses (door.ts), or is made to (claim.ts)
 *                   -> open -> claim -> answer at the door -> leave -> read the tail -> serve
 *
 * Hosts of one folder may live in different containers of one machine (host-process.ts says how life is
 * judged there), not on different machines.
 */
import path from 'node:path'
import { LoomError } from '../../base/errors.ts'
import type { Store, StoreDriver, StoreOpenOptions } from '../store.ts'
import { claimFolder, ownedError, prepareClaim, releaseClaim } from './claim.ts'
import { enterDoor, readLiveHost, type Visit, withdrawHost } from './door.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { Environment, folderError } from './environment.ts'
import { isAlive, isFrozen } from './host-process.ts'
import { FORMAT_KEY } from './keys.ts'
import { LmdbStore } from './lmdb-store.ts'
import { checkFormat } from './records.ts'
import { upgradeFolder } from './upgrade.ts'
import { CHECKPOINT_COMMIT_COUNT } from './writer.ts'

/** A write of a healthy host takes milliseconds; a lock kept this long belongs to a frozen one. */
const PROBE_DEFAULT_MS = 3_000
/** A healthy host answers within milliseconds, one whose guests compute after a turn. */
const ASK_DEFAULT_MS = 5_000

export interface LmdbOptions {
  /**
   * How long a take-over waits for the writer lock before it ends the frozen process that keeps it.
   * Units: milliseconds. Default 3,000.
   */
  readonly probeMs?: number
  /**
   * How long the answer of a live host is waited for: opening the folder needs it to pause a moment.
   * Units: milliseconds. Default 5,000.
   */
  readonly askMs?: number
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
  readonly #askMs: number
  readonly #checkpointCommits: number

  constructor(folder: string, options: LmdbOptions) {
    this.#folder = path.resolve(folder)
    this.#probeMs = positive('probeMs', options.probeMs, PROBE_DEFAULT_MS)
    this.#askMs = positive('askMs', options.askMs, ASK_DEFAULT_MS)
    this.#checkpointCommits = positive(
      'checkpointCommits',
      options.checkpointCommits,
      CHECKPOINT_COMMIT_COUNT,
    )
  }

  async open(options: StoreOpenOptions): Promise<Store> {
    if (options.readOnly === true) return this.#openForReading()
    const owner = readLiveHost(this.#folder)
    if (owner !== null && options.takeOver !== true && isAlive(owner))
      throw ownedError(this.#folder, owner)
    const isOpenHere = await Environment.isOpenHere(this.#folder)
    const visit = await this.#enter(isOpenHere ? 0 : this.#askMs)
    try {
      const thaw = isOpenHere
        ? (): void => {}
        : await prepareClaim(this.#folder, visit, options, this.#probeMs)
      try {
        const environment = Environment.openWritable(this.#folder)
        return await closing(environment, () => this.#claim(environment, options))
      } finally {
        thaw()
      }
    } finally {
      visit.leave()
    }
  }

  #claim(environment: Environment, options: StoreOpenOptions): Store {
    const claim = claimFolder(environment, options)
    try {
      upgradeFolder(environment, claim.epoch, options.wallMs())
      const store = new LmdbStore(environment, claim, this.#checkpointCommits)
      const keeper = new Doorkeeper(this.#folder, claim, () => environment.pause())
      environment.afterClose(() => keeper.close())
      return store
    } catch (error) {
      releaseClaim(environment, claim)
      withdrawHost(this.#folder, claim)
      throw error
    }
  }

  async #openForReading(): Promise<Store> {
    const environment = await this.#openReadOnly()
    return closing(environment, () => {
      const format = environment.get(FORMAT_KEY)
      if (format !== undefined) checkFormat(format)
      return new LmdbStore(environment, null, this.#checkpointCommits)
    })
  }

  async #openReadOnly(): Promise<Environment> {
    const isOpenHere = await Environment.isOpenHere(this.#folder)
    if (isOpenHere || !Environment.isIn(this.#folder)) return Environment.openReadOnly(this.#folder)
    const visit = await this.#enter(this.#askMs)
    try {
      const { host, isQuiet } = visit
      // A frozen host writes nothing; one in another container that does not answer counts as dead.
      if (!isQuiet && host !== null && isAlive(host) && !isFrozen(host))
        throw new LoomError(
          'ERR_HOST_UNREACHABLE',
          `${this.#folder}: process ${host.pid} owns it and has not answered for ${this.#askMs} ms`,
        )
      return Environment.openReadOnly(this.#folder)
    } finally {
      visit.leave()
    }
  }

  async #enter(waitMs: number): Promise<Visit> {
    try {
      return await enterDoor(this.#folder, waitMs)
    } catch (error) {
      if (error instanceof LoomError) throw error
      // Nobody who cannot make a file here can disturb a writer, and nobody writes to such a file system.
      if (isReadOnlyFolder(error)) return { host: null, isQuiet: true, leave() {} }
      throw folderError(this.#folder, error)
    }
  }
}

function isReadOnlyFolder(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && (error.code === 'EROFS' || error.code === 'EACCES')
  )
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
