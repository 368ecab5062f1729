/**
 * The claim: how a process becomes the one host of a data folder.
 *
 * Owns: the decision table below, the host record, the epoch.
 * Does not own: the check of the epoch at each write (environment.ts), who opens when (door.ts).
 *
 *     recorded host            takeOver   what happens
 *     none, or closed          any        claimed, epoch + 1
 *     dead                     any        claimed, epoch + 1
 *     lives                    no         ERR_DATA_OWNED
 *     lives, answers           yes        it finishes the write under way and pauses; claimed, epoch + 1;
 *                                         it gets ERR_FENCED at its next write
 *     lives, does not answer   yes        frozen outside of any write (SIGSTOP) while the folder is
 *                                         claimed, then let go on, to be fenced
 *     frozen, lock is free     yes        claimed, epoch + 1; fenced when it goes on
 *     frozen, holds the lock   yes        it is frozen inside a write: ended with SIGKILL (take-over named
 *                                         it, its start time is checked), then claimed
 *     in another container     any        it lives if it answers: ERR_DATA_OWNED or pause, as above; else
 *                                         claimed, if the lock is free
 *
 * A frozen process may hold LMDB's writer lock, and then every attempt to write blocks for ever in a
 * synchronous call. So the lock is tried by a child process with a deadline first. A lock whose owner
 * died is recovered by LMDB.
 *
 * Invariants:
 *   CL1. Epochs only grow; each claim has its own.
 *   CL2. Life of the recorded host is judged again inside the transaction that claims, and one process at
 *        a time is at the door: of two processes that race for a folder, exactly one wins.
 *   CL3. No process is frozen or ended unless it is the recorded host, by pid, start time and pid
 *        namespace, `takeOver` was asked for, and it does not answer; none is ended unless it
 *        demonstrably keeps the writer lock.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { systemClock } from '../../base/clock.ts'
import { invariant, LoomError } from '../../base/errors.ts'
import type { HostRecord, StoreOpenOptions } from '../store.ts'
import { publishHost, type Visit } from './door.ts'
import type { Environment } from './environment.ts'
import {
  endProcess,
  freezeProcess,
  isAlive,
  isFrozen,
  lifeOf,
  processStartOf,
  thawProcess,
} from './host-process.ts'
import { CHECKPOINT_KEY, FORMAT_KEY, HOST_KEY } from './keys.ts'
import {
  checkFormat,
  decodeHost,
  encodeCheckpoint,
  encodeFormat,
  encodeHost,
  type HostClaim,
} from './records.ts'

/** How long a process ended with SIGKILL may take to disappear. */
const END_WAIT_MS = 5_000

export function readClaim(environment: Environment): HostClaim | null {
  const record = environment.get(HOST_KEY)
  return record === undefined ? null : decodeHost(record)
}

/** The record without `live`, or null when no host has the folder. */
export function hostOf(claim: HostClaim | null): HostRecord | null {
  if (claim === null || !claim.live) return null
  const { pid, processStart, epoch, claimedAtMs, address } = claim
  return { pid, processStart, epoch, claimedAtMs, address }
}

/** A write of a healthy host takes milliseconds: it keeps the lock this long only when it was frozen. */
const RUNNING_PROBE_MS = 500
/** A running host is frozen inside of a write now and then; it is let go and frozen again. */
const FREEZE_COUNT_MAX = 20
const FREEZE_WAIT_MS = 1_000

/**
 * Checks, before the folder is opened for writing, whether it may be claimed; makes a host that does not
 * answer stand still until the returned function is called; frees the lock when a frozen host holds it.
 * @throws ERR_DATA_OWNED, ERR_STORE
 */
export async function prepareClaim(
  folder: string,
  { host, isQuiet }: Visit,
  options: StoreOpenOptions,
  probeMs: number,
): Promise<() => void> {
  if (host === null) return nothing
  const life = lifeOf(host)
  if (life === 'dead') return nothing
  if (options.takeOver !== true && (life === 'alive' || isQuiet)) throw ownedError(folder, host)
  if (isQuiet) return nothing
  if (life === 'alive' && !isFrozen(host) && (await freezeOutsideWrite(folder, host)))
    return () => thawProcess(host)
  if (await canLock(folder, probeMs)) return nothing
  if (!(await endProcess(host, END_WAIT_MS)))
    throw new LoomError('ERR_STORE', `process ${host.pid} holds the lock and cannot be ended`)
  if (!(await canLock(folder, probeMs)))
    throw new LoomError('ERR_STORE', `${folder}: a process other than ${host.pid} holds the lock`)
  return nothing
}

function nothing(): void {}

/** Stops a running host while it holds no lock; false when that does not succeed. */
async function freezeOutsideWrite(folder: string, host: HostRecord): Promise<boolean> {
  for (let count = 0; count < FREEZE_COUNT_MAX; count++) {
    if (!(await freezeProcess(host, FREEZE_WAIT_MS))) return false
    if (await canLock(folder, RUNNING_PROBE_MS)) return true
    thawProcess(host)
  }
  return false
}

/**
 * Writes the host record with the next epoch (CL1, CL2), having published it at the door.
 * @throws ERR_DATA_OWNED, ERR_DATA_FOLDER
 */
export function claimFolder(environment: Environment, options: StoreOpenOptions): HostClaim {
  return environment.transact((put) => {
    const format = environment.get(FORMAT_KEY)
    if (format !== undefined) checkFormat(format)
    const former = readClaim(environment)
    const host = hostOf(former)
    if (host !== null && options.takeOver !== true && isAlive(host))
      throw ownedError(environment.folder, host)
    const claim: HostClaim = {
      pid: process.pid,
      processStart: processStartOf(process.pid),
      epoch: (former?.epoch ?? 0) + 1,
      claimedAtMs: options.wallMs(),
      address: null,
      live: true,
    }
    invariant(format !== undefined || former === null, 'data without a format has no host')
    if (format === undefined) {
      put(FORMAT_KEY, encodeFormat(), 0)
      put(CHECKPOINT_KEY, encodeCheckpoint({ blockNext: 1, actorNext: 1 }), 0)
    }
    put(HOST_KEY, encodeHost(claim), claim.epoch)
    publishHost(environment.folder, claim)
    return claim
  })
}

/** Gives a claim back whose store could not be opened after all. */
export function releaseClaim(environment: Environment, claim: HostClaim): void {
  environment.transact((put) => {
    invariant(claim.live, 'a claim is given back once')
    if (readClaim(environment)?.epoch === claim.epoch)
      put(HOST_KEY, encodeHost({ ...claim, live: false }), claim.epoch)
  })
}

export function ownedError(folder: string, host: HostRecord): LoomError {
  const where = host.address === null ? '' : ` and takes calls at ${host.address}`
  return new LoomError('ERR_DATA_OWNED', `${folder}: process ${host.pid} owns it${where}`, {
    data: { pid: host.pid, address: host.address, epoch: host.epoch, path: folder },
  })
}

/** Says that it runs, then opens the environment for writing: that needs the writer lock. */
const PROBE = `
const { open } = require(process.argv[1])
process.stdout.write('.')
const db = open({ path: process.argv[2], noSubdir: false, encoding: 'binary', keyEncoding: 'binary',
  useVersions: true, overlappingSync: false })
db.transactionSync(() => {})
db.close().then(() => process.exit(0))
`

/** How long the child that probes may take to start, on a machine under load. */
const PROBE_START_MS = 30_000

/** Whether another process can take the writer lock within `deadlineMs` of trying. */
async function canLock(folder: string, deadlineMs: number): Promise<boolean> {
  const module = createRequire(import.meta.url).resolve('lmdb')
  const child = spawn(process.execPath, ['-e', PROBE, module, folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const probe = { isTrying: false, isLocked: false }
  const end = (): void => {
    probe.isLocked = probe.isTrying
    child.kill('SIGKILL')
  }
  let timer = systemClock.after(PROBE_START_MS, end)
  child.stdout.once('data', () => {
    timer.cancel()
    probe.isTrying = true
    timer = systemClock.after(deadlineMs, end)
  })
  try {
    const [code] = await once(child, 'exit')
    if (code === 0) return true
    if (probe.isLocked) return false
    throw new Error(`the probing process ended (${code})`)
  } catch (error) {
    throw new LoomError('ERR_STORE', `${folder}: the lock cannot be probed`, { cause: error })
  } finally {
    timer.cancel()
  }
}
