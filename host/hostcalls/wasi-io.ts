/**
 * `wasi:io`: errors, pollables and streams, of which an actor has the three standard ones only.
 *
 * Owns: what pollables are, and waiting for them. Does not own: clocks' pollables being made
 * (wasi-clocks.ts), handing streams out (wasi-cli.ts), lines (line-log.ts).
 *
 * Invariants:
 *   WI1. Streams are always ready: standard input is at its end, output is taken at once. Their pollables
 *        are READY and have no data.
 *   WI2. A pollable of a clock is a time in wall-clock nanoseconds, so that it means the same after a crash
 *        and in another process.
 *   WI3. Whether a time has come is recorded. Where nothing is ready, the turn waits (recorder.ts R5).
 *
 * Source: wasi-io, WIT of WASI 0.2.
 */
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type {
  HostCallContext,
  HostFunctionSpec,
  HostInterfaceSpec,
  HostInterfaces,
} from './host-interface.ts'
import type { StandardStream } from './line-log.ts'

/** Representations of streams and of pollables that need no data (host-resources.ts HR2). */
export const STDIN = 0
export const STDOUT = 1
export const STDERR = 2
export const READY = 0

const NS_PER_MS = 1_000_000n
/** What one `write` may hold; the interface asks for "at least one byte". */
const WRITE_SIZE_MAX_BYTES = 1n << 20n

const ok = (val?: WitValue): WitValue => (val === undefined ? { tag: 'ok' } : { tag: 'ok', val })
const CLOSED: WitValue = { tag: 'err', val: { tag: 'closed' } }
const closed: HostFunctionSpec = { kind: 'pure', perform: () => CLOSED }
const ready: HostFunctionSpec = { kind: 'pure', perform: () => READY }
const done: HostFunctionSpec = { kind: 'pure', perform: () => ok() }

/** When a pollable is ready, as wall-clock time; always in the past for READY. */
function dueNs({ resources }: HostCallContext, rep: WitValue): bigint {
  return rep === READY ? 0n : (resources.get(rep as number) as bigint)
}

/** A timer may fire early, as its delay has a maximum; so the clock is asked again. */
async function waitUntil(clock: Clock, atNs: bigint): Promise<void> {
  for (;;) {
    const leftNs = atNs - clock.wallNs()
    if (leftNs <= 0n) return
    const leftMs = Number((leftNs + NS_PER_MS - 1n) / NS_PER_MS)
    // Somebody waits for the turn, so the process must not end while it sleeps.
    await new Promise<void>((resolve) => clock.after(leftMs, resolve, true))
  }
}

function block(context: HostCallContext, rep: WitValue): WitValue | Promise<WitValue> {
  const atNs = dueNs(context, rep)
  if (atNs <= context.clock.wallNs()) return undefined
  return waitUntil(context.clock, atNs).then(() => undefined)
}

function poll(context: HostCallContext, reps: readonly WitValue[]): WitValue | Promise<WitValue> {
  if (reps.length === 0)
    throw new LoomError('ERR_HOST_CALL', 'poll: the list of pollables is empty')
  const times = reps.map((rep) => dueNs(context, rep))
  const due = (): number[] => {
    const nowNs = context.clock.wallNs()
    return times.flatMap((atNs, index) => (atNs <= nowNs ? [index] : []))
  }
  const first = due()
  if (first.length > 0) return first
  const [earliest = 0n] = [...times].sort((a, b) => (a < b ? -1 : 1))
  return waitUntil(context.clock, earliest).then(due)
}

function write(stream: WitValue, context: HostCallContext, bytes: Uint8Array): WitValue {
  if (context.live) {
    const name: StandardStream = stream === STDERR ? 'stderr' : 'stdout'
    context.write(name, bytes)
  }
  return ok()
}

const writeBytes: HostFunctionSpec = {
  kind: 'pure',
  perform: (context, [stream, bytes]) => write(stream, context, bytes as Uint8Array),
}
const writeZeroes: HostFunctionSpec = {
  kind: 'pure',
  perform: (context, [stream, length]) => {
    if ((length as bigint) > WRITE_SIZE_MAX_BYTES)
      throw new LoomError('ERR_HOST_CALL', `${length} zeroes are more than check-write allowed`)
    return write(stream, context, new Uint8Array(Number(length)))
  },
}

const streams: HostInterfaceSpec = {
  '[method]input-stream.read': closed,
  '[method]input-stream.blocking-read': closed,
  '[method]input-stream.skip': closed,
  '[method]input-stream.blocking-skip': closed,
  '[method]input-stream.subscribe': ready,
  '[method]output-stream.check-write': { kind: 'pure', perform: () => ok(WRITE_SIZE_MAX_BYTES) },
  '[method]output-stream.write': writeBytes,
  '[method]output-stream.blocking-write-and-flush': writeBytes,
  '[method]output-stream.flush': done,
  '[method]output-stream.blocking-flush': done,
  '[method]output-stream.subscribe': ready,
  '[method]output-stream.write-zeroes': writeZeroes,
  '[method]output-stream.blocking-write-zeroes-and-flush': writeZeroes,
  '[method]output-stream.splice': closed,
  '[method]output-stream.blocking-splice': closed,
}

export function serveWasiIo(interfaces: HostInterfaces): void {
  interfaces.add('wasi:io/error@0.2.0', {
    '[method]error.to-debug-string': { kind: 'pure', perform: () => 'error' },
  })
  interfaces.add('wasi:io/poll@0.2.0', {
    '[method]pollable.ready': {
      kind: 'recorded',
      perform: (context, [rep]) => dueNs(context, rep) <= context.clock.wallNs(),
    },
    '[method]pollable.block': {
      kind: 'recorded',
      perform: (context, [rep]) => block(context, rep),
    },
    poll: { kind: 'recorded', perform: (context, [reps]) => poll(context, reps as WitValue[]) },
    '[resource-drop]pollable': {
      kind: 'pure',
      perform: ({ resources }, [rep]) => resources.remove(rep as number) as undefined,
    },
  })
  interfaces.add('wasi:io/streams@0.2.0', streams)
}
