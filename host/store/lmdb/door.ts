/**
 * The door of a data folder: one process opens it at a time, and its host pauses meanwhile.
 *
 * Why. Opening an LMDB environment is not safe beside a write: `mdb_env_open` reads the newest transaction
 * id from the file, and later stores it in the lock region that all processes share. A transaction that
 * another process commits in between is forgotten: the next writer starts from the state before it and
 * reuses its id. (LMDB's ITS#9496, still in the LMDB that lmdb-js 3.5.6 carries.) Opening for reading does it too.
 *
 *     <folder>/door/host      JSON: the claim of the process that may write; absent when none does
 *     <folder>/door/visitor   JSON: the process that is opening the folder; made exclusively: the lock
 *     <folder>/door/answer    the visitor's nonce: the host is between two writes and stays there
 *
 *     a visitor                                    the host (doorkeeper.ts)
 *     makes `visitor`, reads `host`
 *     waits for its nonce in `answer`              finishes the write under way, writes `answer`
 *     opens the environment, removes `visitor`     removes `answer`, goes on writing
 *
 * Owns: these files, waiting in line, asking the host, what to make of a visitor that died.
 * Does not own: who may have the folder (claim.ts); pausing writes (environment.ts).
 *
 * Invariants:
 *   DO1. Whoever opens the environment of a folder that can be written is its one visitor.
 *   DO2. A claim is published in `host` before its first commit, by the visitor that makes it.
 *   DO3. A host answers only while `host` names its own claim, and one nonce once.
 */
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { LoomError } from '../../base/errors.ts'
import { isFrozen, lifeOf, type ProcessIdentity, processStartOf } from './host-process.ts'
import type { HostClaim } from './records.ts'

const POLL_MS = 3
/** A visit takes milliseconds once the host answered; a process that cannot be judged has left by then. */
const UNKNOWN_VISIT_MS = 10_000

export interface VisitorRecord extends ProcessIdentity {
  readonly nonce: string
}

export interface Visit {
  /** The live host of the folder, null when none is known. */
  readonly host: HostClaim | null
  /** Whether no other process writes until `leave`. */
  readonly isQuiet: boolean
  leave(): void
}

export const doorOf = (folder: string): string => path.join(folder, 'door')
export const hostFileOf = (folder: string): string => path.join(doorOf(folder), 'host')
export const visitorFileOf = (folder: string): string => path.join(doorOf(folder), 'visitor')
export const answerFileOf = (folder: string): string => path.join(doorOf(folder), 'answer')

/** Null when there is no such file, or what it holds was not written whole. */
function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return null
  }
}

export function readAnswer(folder: string): string | null {
  try {
    return readFileSync(answerFileOf(folder), 'utf8')
  } catch {
    return null
  }
}

export const readVisitor = (folder: string): VisitorRecord | null =>
  readJson<VisitorRecord>(visitorFileOf(folder))

/** The claim that may write, also when its process died since. */
const readPublished = (folder: string): HostClaim | null => readJson<HostClaim>(hostFileOf(folder))

/** The published claim, unless its process died. A process that cannot be judged counts as living. */
export function readLiveHost(folder: string): HostClaim | null {
  const claim = readPublished(folder)
  return claim === null || lifeOf(claim) === 'dead' ? null : claim
}

/** Replaces a file at once. */
export function writeWhole(file: string, text: string): void {
  const part = `${file}.${process.pid}.part`
  writeFileSync(part, text)
  renameSync(part, file)
}

export function publishHost(folder: string, claim: HostClaim): void {
  mkdirSync(doorOf(folder), { recursive: true })
  writeWhole(hostFileOf(folder), JSON.stringify(claim))
}

/** Whether the folder is still that claim's (DO3). */
export function isPublished(folder: string, claim: HostClaim): boolean {
  const published = readPublished(folder)
  return published?.epoch === claim.epoch && published.pid === claim.pid
}

/** Changes what was published of a claim, unless another has replaced it. */
export function republishHost(folder: string, claim: HostClaim): void {
  if (isPublished(folder, claim)) publishHost(folder, claim)
}

/** Removes what `publishHost` wrote, unless another claim has replaced it. */
export function withdrawHost(folder: string, claim: HostClaim): void {
  if (isPublished(folder, claim)) rmSync(hostFileOf(folder), { force: true })
}

/**
 * Waits in line, then until the live host, if there is one, has paused.
 * @throws ERR_HOST_UNREACHABLE  others kept the door for `waitMs`.
 * @throws ERR_DATA_FOLDER       the door cannot be made.
 */
export async function enterDoor(folder: string, waitMs: number): Promise<Visit> {
  const visitor = { pid: process.pid, processStart: processStartOf(process.pid), nonce: nonce() }
  await queue(folder, visitor, waitMs)
  const leave = (): void => {
    if (readVisitor(folder)?.nonce === visitor.nonce) rmSync(visitorFileOf(folder), { force: true })
  }
  try {
    return { ...(await askHost(folder, visitor.nonce, waitMs)), leave }
  } catch (error) {
    leave()
    throw error
  }
}

const nonce = (): string => randomUUID()

async function queue(folder: string, visitor: VisitorRecord, waitMs: number): Promise<void> {
  mkdirSync(doorOf(folder), { recursive: true })
  let first: string | null = null
  let firstMs = systemClock.monotonicMs()
  const startMs = firstMs
  while (!tryLock(folder, visitor)) {
    const other = readVisitor(folder)
    const nowMs = systemClock.monotonicMs()
    if (first === null || first !== (other?.nonce ?? '')) {
      first = other?.nonce ?? ''
      firstMs = nowMs
    }
    if (hasLeft(other, nowMs - firstMs)) evict(folder, other)
    else if (nowMs - startMs > waitMs + UNKNOWN_VISIT_MS)
      throw new LoomError(
        'ERR_HOST_UNREACHABLE',
        `${folder}: process ${other?.pid ?? 'unknown'} has been opening it for ${Math.round(nowMs - firstMs)} ms`,
      )
    else await sleep(POLL_MS)
  }
}

function tryLock(folder: string, visitor: VisitorRecord): boolean {
  try {
    writeFileSync(visitorFileOf(folder), JSON.stringify(visitor), { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Whether a visitor seen for `seenMs` is gone for good. Null: it is being written, or its writer died. */
function hasLeft(visitor: VisitorRecord | null, seenMs: number): boolean {
  if (visitor === null) return seenMs > 1_000
  const life = lifeOf(visitor)
  return life === 'dead' || (life === 'unknown' && seenMs > UNKNOWN_VISIT_MS)
}

/** Removes the lock of a visitor that is gone; gives it back if it was another's by then. */
function evict(folder: string, visitor: VisitorRecord | null): void {
  const file = visitorFileOf(folder)
  const aside = `${file}.${nonce()}`
  try {
    renameSync(file, aside)
    if (readJson<VisitorRecord>(aside)?.nonce !== visitor?.nonce) linkSync(aside, file)
  } catch {
    // Another process did the same, or has entered since.
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Waits for the answer of the live host; not quiet when it does not come within `waitMs`. */
async function askHost(
  folder: string,
  own: string,
  waitMs: number,
): Promise<{ host: HostClaim | null; isQuiet: boolean }> {
  const startMs = systemClock.monotonicMs()
  for (;;) {
    const host = readLiveHost(folder)
    if (host === null) return { host, isQuiet: true }
    if (readAnswer(folder) === own) return { host, isQuiet: true }
    const isOver = systemClock.monotonicMs() - startMs > waitMs
    if (isOver || isFrozen(host)) return { host, isQuiet: false }
    await sleep(POLL_MS)
  }
}
