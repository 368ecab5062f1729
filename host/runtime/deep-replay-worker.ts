/**
 * The thread with a larger stack: replays the journal that it is sent (deep-replay.ts).
 *
 * Owns: nothing that outlives its answer. The component's imports need not be served: they are answered from the journal.
 */
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { replayTurns } from '../actor/journal/recovery.ts'
import { TurnReader } from '../actor/journal/turn-reader.ts'
import type { ActorProgram } from '../actor/program/program.ts'
import { wasmProgram } from '../actor/program/wasm-program.ts'
import { TurnEngine } from '../actor/turn/turn-engine.ts'
import { checkDigest } from '../base/digest.ts'
import { invariant } from '../base/errors.ts'
import type { JournalRow, SnapshotRow } from '../store/store.ts'
import {
  type DeepTask,
  type FromHost,
  type FromThread,
  type ReplayedLog,
  receivedError,
  sentError,
} from './deep-replay.ts'
import { replayEnvironment, replayLog } from './replay.ts'
import { standardInterfaces } from './standard-interfaces.ts'

function say(said: FromThread): void {
  invariant(parentPort !== null, 'this runs in a thread')
  parentPort.postMessage(said)
}

/** One question at a time. @throws what the host was told */
async function ask<T>(question: FromThread): Promise<T> {
  invariant(parentPort !== null, 'this runs in a thread')
  say(question)
  const [given] = (await once(parentPort, 'message')) as [FromHost]
  if (given.kind === 'failed') throw receivedError(given.error)
  return given.value as T
}

function logOf({ record, seqFirst, seqNext }: DeepTask): ReplayedLog {
  const { type, id } = record
  return {
    key: { type, id },
    seqFirst,
    seqNext,
    read: (seqFrom, countMax) => ask<readonly JournalRow[]>({ kind: 'read', seqFrom, countMax }),
    readSnapshot: (seqMax) => ask<SnapshotRow | null>({ kind: 'snapshot', seqMax }),
    // Who reads here decides nothing.
    rejectSnapshot: async () => {},
  }
}

async function imageOf(
  { record, seqFrom, seqNext, calls, image }: Extract<DeepTask, { kind: 'image' }>,
  log: ReplayedLog,
  program: ActorProgram,
): Promise<Uint8Array> {
  const engine = TurnEngine.startReplay(program, replayEnvironment(record), calls)
  if (image !== null) engine.restore(image)
  await replayTurns(new TurnReader(log, seqFrom, seqNext), engine, log.key, program)
  return engine.capture()
}

async function perform(task: DeepTask): Promise<unknown> {
  const { component: bytes, record } = task
  const { digest } = record
  checkDigest(digest)
  const interfaces = standardInterfaces()
  const options = { bytes, digest, interfaces, checkImports: false, parks: false }
  const program = await wasmProgram(options)
  const log = logOf(task)
  if (task.kind === 'image') return await imageOf(task, log, program)
  return await replayLog(log, record, program, (turns, of) => say({ kind: 'progress', turns, of }))
}

try {
  say({ kind: 'done', result: await perform(workerData as DeepTask) })
} catch (error) {
  say({ kind: 'failed', error: sentError(error) })
}
