/**
 * The LMDB environment of a data folder.
 *
 * Owns: opening it with the right options, reading and writing its main database, and turning LMDB's
 * errors into coded ones. Does not own: what is in it, and who may write.
 *
 * Why these options. lmdb-js by default resolves a write at commit and syncs afterwards
 * ("overlappingSync"); a failed sync is then never reported, and two locks would have to be freed from
 * a frozen process. Without it, a write resolves after data and meta page are synced, errors included,
 * under LMDB's one writer lock. With one block per group of commits this is also the faster way.
 *
 * Invariants:
 *   EN1. `write` resolves true only when everything it put is durable (S1).
 *   EN2. Everything in one `write` is applied in one transaction, and only if the host record still has
 *        the writer's epoch (S3). The comparison runs in LMDB's writer thread, by the record's version.
 *   EN3. One environment per folder and process: a second `open` of a file would close a descriptor of the
 *        lock file, and with it POSIX drops all locks that this process has there; the next process to
 *        open would take the lock region for unused and make it anew, beside a host that writes.
 *        So whoever opens a folder again shares what is open.
 *   EN4. No write is under way between the answer of `pause` and the end of the pause.
 *   EN5. No `noOverwrite` is used inside `write`: lmdb-js 3.5.6 writes such a put even when the condition
 *        around it failed, so a fenced host would write.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { invariant, LoomError } from '../../base/errors.ts'
import { checkDataFile, DATA_FILE } from './data-file.ts'
import { HOST_KEY } from './keys.ts'

export interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/** A row to put, or, without a value, to remove. */
export interface Change {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What one process has open of one folder (EN3). */
interface Opened {
  readonly db: RootDatabase<Buffer, Buffer>
  readonly readOnly: boolean
  userCount: number
}

const openedByPath = new Map<string, Opened>()
/** Folders whose last user is closing them. */
const closingByPath = new Map<string, Promise<void>>()

export class Environment {
  readonly #db: RootDatabase<Buffer, Buffer>
  readonly #path: string
  readonly folder: string
  /** Of the data file: a copy of it has another one. */
  readonly fileNumber: bigint
  #writing: Promise<unknown> | null = null
  #pause: Promise<void> | null = null
  #afterClose: () => void = () => {}

  private constructor(folder: string, realPath: string, db: RootDatabase<Buffer, Buffer>) {
    this.folder = folder
    this.#path = realPath
    this.#db = db
    this.fileNumber = statSync(path.join(folder, DATA_FILE), { bigint: true }).ino
  }

  /** Whether this process has `folder` open, so that opening it again opens no file. Waits for a close. */
  static async isOpenHere(folder: string): Promise<boolean> {
    const realPath = realPathOf(folder)
    while (closingByPath.has(realPath)) await closingByPath.get(realPath)
    return openedByPath.has(realPath)
  }

  /** Whether `folder` holds an environment. @throws ERR_DATA_FOLDER */
  static isIn(folder: string): boolean {
    try {
      const stat = statSync(path.join(folder, DATA_FILE), { throwIfNoEntry: false })
      // An empty file: its creator has not come further, or died there.
      return stat !== undefined && stat.size > 0
    } catch (error) {
      throw folderError(folder, error)
    }
  }

  /** Opens an existing environment beside its host; takes no writer lock. @throws ERR_DATA_FOLDER */
  static openReadOnly(folder: string): Environment {
    if (!Environment.isIn(folder))
      throw new LoomError(
        'ERR_DATA_FOLDER',
        `${folder}: expected a data folder of Loom with ${DATA_FILE} in it`,
        { data: { path: folder } },
      )
    return Environment.#open(folder, true)
  }

  /** Opens the environment for writing, creating folder and files. Needs the writer lock for a moment. */
  static openWritable(folder: string): Environment {
    const isNew = !Environment.isIn(folder)
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw folderError(folder, error)
    }
    const environment = Environment.#open(folder, false)
    // LMDB syncs its files but not the folder that names them.
    if (isNew) for (const at of [folder, path.dirname(path.resolve(folder))]) syncFolder(at)
    return environment
  }

  static #open(folder: string, readOnly: boolean): Environment {
    const realPath = realPathOf(folder)
    const opened = openedByPath.get(realPath) ?? openFiles(folder, realPath, readOnly)
    if (opened.readOnly && !readOnly)
      throw new LoomError('ERR_DATA_FOLDER', `${folder}: this process has it open for reading only`)
    opened.userCount++
    return new Environment(folder, realPath, opened.db)
  }

  /** Makes the next reads see everything that is committed now, and agree with each other until a pause. */
  refresh(): void {
    this.#db.resetReadTxn()
  }

  /** The value of `key`, as a copy. @throws ERR_STORE */
  get(key: Buffer): Buffer | undefined {
    try {
      const bytes = this.#db.getBinary(key)
      return bytes === undefined ? undefined : asBuffer(bytes)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** At most `limit` rows from `start` up to `end` (excluded), as copies. @throws ERR_STORE */
  range(start: Buffer, end: Buffer, limit = Infinity): Row[] {
    try {
      const rows = this.#db.getRange(limit === Infinity ? { start, end } : { start, end, limit })
      return Array.from(rows, ({ key, value }) => ({ key: asBuffer(key), value: asBuffer(value) }))
    } catch (error) {
      throw storeError(error)
    }
  }

  /** As `range`, but keys alone. @throws ERR_STORE */
  keys(start: Buffer, end: Buffer, limit: number): Buffer[] {
    try {
      return Array.from(this.#db.getKeys({ start, end, limit }), asBuffer)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** At most `limit` rows from `start` down to `end` (excluded), as copies. @throws ERR_STORE */
  rangeDown(start: Buffer, end: Buffer, limit: number): Row[] {
    try {
      const rows = this.#db.getRange({ start, end, limit, reverse: true })
      return Array.from(rows, ({ key, value }) => ({ key: asBuffer(key), value: asBuffer(value) }))
    } catch (error) {
      throw storeError(error)
    }
  }

  /**
   * Makes all changes in one transaction if the host record has the version `epoch`; a put of the host
   * record itself keeps that version. Resolves false, having written nothing, if it has another.
   * @throws ERR_STORE  nothing was written, or the environment is unusable (`probe` tells).
   */
  async write(epoch: number, changes: readonly Change[]): Promise<boolean> {
    invariant(epoch > 0, 'only a host that claimed the folder writes')
    invariant(changes.length > 0, 'a write changes something')
    while (this.#pause !== null) await this.#pause
    const db = this.#db
    try {
      const writing = db.ifVersion(HOST_KEY, epoch, () => {
        for (const { key, value } of changes)
          if (value === null) void db.remove(key)
          else if (key === HOST_KEY) void db.put(key, value, epoch)
          else void db.put(key, value)
      })
      this.#writing = writing
      return await writing
    } catch (error) {
      throw storeError(await causeOf(error))
    }
  }

  /** Waits until no write is under way; none begins until the returned function is called (EN4). */
  async pause(): Promise<() => void> {
    invariant(this.#pause === null, 'one pause at a time')
    let end = (): void => {}
    this.#pause = new Promise((resolve) => {
      end = () => {
        this.#pause = null
        resolve()
      }
    })
    await this.#writing?.catch(() => {})
    return end
  }

  /** Runs `change` in a synchronous, durable transaction; used for the claim alone. */
  transact<T>(change: (put: (key: Buffer, value: Buffer, version: number) => void) => T): T {
    return this.#db.transactionSync(() =>
      change((key, value, version) => {
        this.#db.putSync(key, value, version)
      }),
    )
  }

  /** Throws when no write can ever succeed again. @throws ERR_STORE */
  probe(): void {
    try {
      this.#db.transactionSync(() => {})
    } catch (error) {
      throw storeError(error)
    }
  }

  /** `task` runs once nothing is written here any more. */
  afterClose(task: () => void): void {
    this.#afterClose = task
  }

  async close(): Promise<void> {
    try {
      await this.#writing?.catch(() => {})
      await this.#release()
    } finally {
      this.#afterClose()
    }
  }

  async #release(): Promise<void> {
    const opened = openedByPath.get(this.#path)
    invariant(opened?.db === this.#db && opened.userCount > 0, 'an environment is closed once')
    if (--opened.userCount > 0) return
    openedByPath.delete(this.#path)
    const closing = this.#db.close().finally(() => closingByPath.delete(this.#path))
    closingByPath.set(
      this.#path,
      closing.catch(() => {}),
    )
    await closing
  }
}

function realPathOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return path.resolve(folder)
  }
}

/** @throws ERR_DATA_FOLDER */
function openFiles(folder: string, realPath: string, readOnly: boolean): Opened {
  invariant(!closingByPath.has(realPath), 'a folder is not opened while it is closed')
  checkDataFile(folder)
  try {
    const db = open<Buffer, Buffer>(folder, {
      readOnly,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      useVersions: true,
      overlappingSync: false,
      // A group of commits is one batch already: waiting for the end of the event turn adds nothing.
      eventTurnBatching: false,
    })
    const opened = { db, readOnly, userCount: 0 }
    openedByPath.set(realPath, opened)
    return opened
  } catch (error) {
    throw folderError(folder, error)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function syncFolder(folder: string): void {
  // Windows cannot sync a folder; its renames are journaled by the file system.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** lmdb-js rejects with a general error that carries a promise of the one with the cause. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  try {
    await error.commitError
    return error
  } catch (cause) {
    return cause
  }
}

function storeError(error: unknown): LoomError {
  if (error instanceof LoomError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new LoomError('ERR_STORE', `the store failed: ${message}`, { cause: error })
}

export function folderError(folder: string, error: unknown): LoomError {
  const message = error instanceof Error ? error.message : String(error)
  return new LoomError('ERR_DATA_FOLDER', `${folder}: cannot be used as data folder: ${message}`, {
    cause: error,
    data: { path: folder },
  })
}
