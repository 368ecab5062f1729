/**
 * Changes of files.
 *
 * Owns: noticing that a source changed, came or went, soon after it did.
 * Does not own: what is done about it.
 *
 * Invariants:
 *   FC1. What counts is the state of the files, compared with the state before; the system's events only say when to
 *        look. A file that is saved as it was changes nothing for `isSame`, unless its time stamp moved.
 *   FC2. A file that is being written is not read: nothing may have happened for a moment.
 *   FC3. Events get lost on network drives and where the system has too few watches: it also looks every second.
 */
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import path from 'node:path'

/** Long enough for an editor to finish its several writes. */
const QUIET_MS = 40
/** A folder that never becomes quiet is looked at nevertheless. */
const RESTLESS_MS = 500
const POLL_MS = 1_000

export interface WatchedFiles {
  readonly folder: string
  /** By path relative to the folder. */
  readonly isSource: (file: string) => boolean
  /** Absolute paths of folders that are not looked into. */
  readonly ignored: readonly string[]
}

/** What identifies the content of each file, by absolute path; "" for one that is not there. */
export type FileStates = ReadonlyMap<string, string>

export function isSame(a: FileStates, b: FileStates): boolean {
  return a.size === b.size && [...a].every(([file, state]) => b.get(file) === state)
}

/** What builds leave behind, what packages bring, and what tools hide. */
const IGNORED = /^(build|node_modules|target|\..+)$/

export class FolderChanges {
  readonly #files: WatchedFiles
  readonly #watchers = new Map<string, FSWatcher>()
  /** Files outside of the folder. */
  #others: readonly string[] = []
  #onEvent: () => void = () => {}

  constructor(files: WatchedFiles) {
    this.#files = files
  }

  /**
   * From now on those of `files` count, besides, that are not in the folder; absolute. Gives `before` with them: of one
   * that is new, as it is now.
   */
  also(files: readonly string[], before: FileStates): FileStates {
    const { folder } = this.#files
    const others = files.filter((file) => path.relative(folder, file).startsWith('..'))
    const states = new Map(before)
    for (const file of this.#others) if (!others.includes(file)) states.delete(file)
    for (const file of others) if (!states.has(file)) states.set(file, stateOf(file))
    this.#others = [...new Set(others)]
    return states
  }

  /** The state of all files now. Also looks for new folders. */
  look(): FileStates {
    const states = new Map<string, string>()
    const folders = new Set<string>()
    this.#lookInto(this.#files.folder, states, folders)
    for (const file of this.#others) {
      states.set(file, stateOf(file))
      folders.add(path.dirname(file))
    }
    this.#watch(folders)
    return states
  }

  /** Resolves when files are no more what they were in `before` and have been still for a moment, or at `ending`. */
  async changedSince(before: FileStates, ending: AbortSignal): Promise<void> {
    while (!ending.aborted && isSame(before, this.look())) await this.#event(POLL_MS, ending)
    const restlessMs = performance.now() + RESTLESS_MS
    for (let isStill = false; !isStill && !ending.aborted && performance.now() < restlessMs; ) {
      const seen = this.look()
      isStill = !(await this.#event(QUIET_MS, ending)) && isSame(seen, this.look())
    }
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  /** True at the next event; false when there is none for so long, or at `ending`. */
  #event(timeoutMs: number, ending: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isEvent: boolean) => {
        clearTimeout(timer)
        ending.removeEventListener('abort', onEnding)
        this.#onEvent = () => {}
        resolve(isEvent)
      }
      const onEnding = (): void => end(false)
      const timer = setTimeout(end, timeoutMs, false)
      ending.addEventListener('abort', onEnding)
      this.#onEvent = () => end(true)
    })
  }

  #lookInto(folder: string, states: Map<string, string>, folders: Set<string>): void {
    folders.add(folder)
    for (const entry of entriesOf(folder)) {
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) {
        if (IGNORED.test(entry.name) || this.#files.ignored.includes(file)) continue
        this.#lookInto(file, states, folders)
      } else if (this.#files.isSource(path.relative(this.#files.folder, file))) {
        states.set(file, stateOf(file))
      }
    }
  }

  #watch(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue
      try {
        const watcher = watch(folder, () => this.#onEvent())
        // FC3: without it, a change is seen a second later.
        watcher.on('error', () => this.#watchers.delete(folder))
        this.#watchers.set(folder, watcher)
      } catch {}
    }
  }
}

function entriesOf(folder: string): ReturnType<typeof readFolder> {
  try {
    return readFolder(folder)
  } catch {
    // It went away while it was looked at.
    return []
  }
}

function readFolder(folder: string) {
  return readdirSync(folder, { withFileTypes: true })
}

function stateOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.mtimeNs} ${found.size} ${found.ino}`
}
