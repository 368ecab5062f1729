/**
 * Processes: whether the one that a host record names still lives.
 *
 *     platform   a start is                                         two processes with one pid differ in
 *     Linux      <boot id>:<clock ticks since boot>:<pid namespace>  boot, start or namespace
 *     Windows    not known                                          -
 *     else       what `ps` says                                     the second they started in
 *
 * Owns: reading a process's start time, judging life, ending a process that was named explicitly.
 * Does not own: the decision to end one (claim.ts).
 *
 * Invariants:
 *   HP1. A pid alone names nobody: a process is the recorded one only if its start time is the same too,
 *        where the platform tells it.
 *   HP2. A zombie is dead: it runs nothing and holds no lock.
 *   HP3. A pid of another pid namespace (a container) says nothing here: such a process is 'unknown' while
 *        the machine has not booted since, and is neither frozen nor ended from here.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { invariant } from '../../base/errors.ts'

/** Fields of /proc/<pid>/stat after the command's closing parenthesis, from field 3 on. */
const STAT_STATE = 0
const STAT_START_TIME = 19

const POLL_MS = 10

export interface ProcessIdentity {
  readonly pid: number
  /** Null where the platform cannot tell. */
  readonly processStart: string | null
}

export type Life = 'alive' | 'dead' | 'unknown'

/**
 * Something that two processes with the same pid differ in: on Linux the boot and the start in clock
 * ticks since then, elsewhere what `ps` says. Null when the process does not run or cannot be told.
 */
export function processStartOf(pid: number): string | null {
  if (process.platform === 'linux') return linuxStartOf(pid)
  if (process.platform === 'win32') return null
  const { stdout, status } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
  })
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : null
}

function linuxStartOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const state = fields[STAT_STATE]
    if (state === 'Z' || state === 'X') return null
    return `${bootId()}:${fields[STAT_START_TIME]}:${pidNamespace()}`
  } catch {
    return null
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** `pid:[4026531836]`; "" where /proc does not tell it. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/** Whether the process that wrote `record` still runs, frozen ones included (HP1, HP3). */
export function lifeOf(record: ProcessIdentity): Life {
  invariant(record.pid > 0, 'a host record names a process')
  if (record.processStart === null || process.platform === 'win32')
    return isRunning(record.pid) ? 'alive' : 'dead'
  if (process.platform === 'linux' && isElsewhere(record.processStart))
    return record.processStart.startsWith(`${bootId()}:`) ? 'unknown' : 'dead'
  return processStartOf(record.pid) === record.processStart ? 'alive' : 'dead'
}

/** Whether the process demonstrably lives. */
export function isAlive(record: ProcessIdentity): boolean {
  return lifeOf(record) === 'alive'
}

function isElsewhere(processStart: string): boolean {
  const [, , ...namespace] = processStart.split(':')
  return namespace.join(':') !== pidNamespace()
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Whether the process is stopped (SIGSTOP), where the platform tells it. */
export function isFrozen(record: ProcessIdentity): boolean {
  return isAlive(record) && isStopped(record.pid)
}

function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const state = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STAT_STATE]
    return state === 'T' || state === 't'
  } catch {
    return false
  }
}

/** Stops the recorded process and waits until it is; false when it cannot be stopped. */
export async function freezeProcess(record: ProcessIdentity, waitMs: number): Promise<boolean> {
  invariant(record.pid !== process.pid, 'a host does not freeze itself')
  if (process.platform !== 'linux' || !isAlive(record)) return false
  process.kill(record.pid, 'SIGSTOP')
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += POLL_MS) {
    if (isStopped(record.pid)) return true
    await sleep(POLL_MS)
  }
  return isStopped(record.pid)
}

/** Lets a process that `freezeProcess` stopped go on. */
export function thawProcess(record: ProcessIdentity): void {
  if (isAlive(record)) process.kill(record.pid, 'SIGCONT')
}

/** Ends the recorded process with SIGKILL and waits; true when it is gone within `waitMs`. */
export async function endProcess(record: ProcessIdentity, waitMs: number): Promise<boolean> {
  invariant(record.pid !== process.pid, 'a host does not end itself')
  if (!isAlive(record)) return true
  process.kill(record.pid, 'SIGKILL')
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += POLL_MS) {
    if (!isAlive(record)) return true
    await sleep(POLL_MS)
  }
  return !isAlive(record)
}
