/**
 * Deep replay: a journal that uses up the stack of this thread is replayed on a thread with a larger one.
 *
 * How deep a guest may call depends on what the engine has made of its code: frames of code that it has optimised are
 * several times smaller. So a turn that returned may not fit on the same stack in the process that replays it. The
 * thread's stack is some 60 times as large as that of a process, and what the two share is what they are sent: the component,
 * the journal, page by page, and an image or a report.
 *
 * Owns: that thread, and what it is told. Does not own: what is replayed (deep-replay-worker.ts).
 *
 * Invariants:
 *   DR1. The thread reads nothing by itself: it has no store and no blobs.
 *   DR2. What it throws is thrown here, as the same code with the same data. A thread that ends without an answer has
 *        said nothing about the journal.
 *   DR3. Few of them run at once, whoever asks: each takes some 16 MB and a core, and a guest can see to it that all actors of
 *        its type need one when a host starts.
 */
import { Worker } from 'node:worker_threads'
import type { DeepSuffix } from '../actor/journal/recovery.ts'
import { checkDigest } from '../base/digest.ts'
import { ERRORS, type ErrorCode, isLoomError, LoomError } from '../base/errors.ts'
import { DEEP_REPLAYS_AT_ONCE_MAX } from '../base/limits.ts'
import { Turnstile } from '../base/turnstile.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { RecordedCall } from '../journal/entry.ts'
import type { ActorLog, ActorRecord } from '../store/store.ts'
import type { ReplayReport } from './api.ts'

/** A journal and its snapshots, to be read. */
export type ReplayedLog = Pick<
  ActorLog,
  'key' | 'seqNext' | 'seqFirst' | 'read' | 'readSnapshot' | 'rejectSnapshot'
>

export type OnProgress = (turns: number, of: number) => void

/** Reserved, and used as far as a replay goes. Stacks of processes have 1 MB unless Node was told otherwise. */
const STACK_SIZE_MB = 64

/** What the thread is to do. */
export type DeepTask = {
  readonly component: Uint8Array
  readonly record: ActorRecord
  readonly seqFirst: number
  readonly seqNext: number
} & (
  | { readonly kind: 'report' }
  | {
      readonly kind: 'image'
      readonly seqFrom: number
      readonly calls: readonly RecordedCall[]
      readonly image: Uint8Array | null
    }
)

export interface SentError {
  readonly code: string
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What it says. Each `read` and `snapshot` gets a FromHost; `done` and `failed` are its last words. */
export type FromThread =
  | { readonly kind: 'read'; readonly seqFrom: number; readonly countMax: number }
  | { readonly kind: 'snapshot'; readonly seqMax: number }
  | { readonly kind: 'progress'; readonly turns: number; readonly of: number }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: SentError }

export type FromHost =
  | { readonly kind: 'given'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: SentError }

export function sentError(error: unknown): SentError {
  if (isLoomError(error)) return { code: error.code, message: error.message, data: error.data }
  return { code: 'ERR_INVARIANT', message: String(error), data: {} }
}

export function receivedError({ code, message, data }: SentError): LoomError {
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'ERR_INVARIANT'
  return new LoomError(known, message, { data })
}

export class DeepReplays {
  readonly #blobs: Pick<BlobStore, 'get'>
  readonly #turnstile = new Turnstile(DEEP_REPLAYS_AT_ONCE_MAX)

  constructor(blobs: Pick<BlobStore, 'get'>) {
    this.#blobs = blobs
  }

  /** The image behind the last whole turn of a suffix. @throws what a replay throws */
  image({ log, record, seqNext, ...start }: DeepSuffix): Promise<Uint8Array> {
    return this.#turnstile.pass(async () => {
      const component = await this.#component(record)
      const { seqFirst } = log
      const task = { kind: 'image', component, record, seqFirst, seqNext, ...start } as const
      return (await run(task, log, () => {})) as Uint8Array
    })
  }

  /** As `replayLog`. */
  report(log: ReplayedLog, record: ActorRecord, onProgress: OnProgress): Promise<ReplayReport> {
    return this.#turnstile.pass(async () => {
      const component = await this.#component(record)
      const { seqFirst, seqNext } = log
      const task = { kind: 'report', component, record, seqFirst, seqNext } as const
      return (await run(task, log, onProgress)) as ReplayReport
    })
  }

  #component({ digest }: ActorRecord): Promise<Uint8Array> {
    checkDigest(digest)
    return this.#blobs.get(digest)
  }
}

type Log = Pick<ReplayedLog, 'read' | 'readSnapshot'>

/** DR2. */
function run(task: DeepTask, log: Log, onProgress: OnProgress): Promise<unknown> {
  const thread = new Worker(new URL('./deep-replay-worker.js', import.meta.url), {
    workerData: task,
    resourceLimits: { stackSizeMb: STACK_SIZE_MB },
  })
  return new Promise<unknown>((resolve, reject) => {
    const ended = (how: string, cause?: unknown): void => {
      const message = `the thread that replays on a larger stack ended with ${how}`
      reject(new LoomError('ERR_INVARIANT', message, { cause }))
    }
    // Where there is no memory for its heap, for one.
    thread.on('error', (error) => ended(String(error), error))
    thread.on('exit', (code) => ended(`${code}`))
    thread.on('message', (said: FromThread) => {
      if (said.kind === 'progress') onProgress(said.turns, said.of)
      else if (said.kind === 'done') resolve(said.result)
      else if (said.kind === 'failed') reject(receivedError(said.error))
      else void answer(said, log).then((given) => thread.postMessage(given))
    })
  }).finally(() => thread.terminate())
}

type Question = Extract<FromThread, { kind: 'read' | 'snapshot' }>

async function answer(asked: Question, log: Log): Promise<FromHost> {
  try {
    const value =
      asked.kind === 'read'
        ? await log.read(asked.seqFrom, asked.countMax)
        : await log.readSnapshot(asked.seqMax)
    return { kind: 'given', value }
  } catch (error) {
    return { kind: 'failed', error: sentError(error) }
  }
}
