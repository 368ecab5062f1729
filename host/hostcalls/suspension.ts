/**
 * Suspensions: why a turn has to wait, and how it gets what it waits for.
 *
 * Owns: the call that waits, and what a call's failure is called. Does not own: parking and unwinding (recorder.ts).
 */
import { isLoomError, LoomError } from '../base/errors.ts'
import { isStackOverflow, toFailure } from '../component/abi/failure.ts'
import type { WitValue } from '../component/wit/wit.ts'
import { hashArguments } from '../journal/values.ts'

/** One call of a recorded or awaiting function, as its import makes it. */
export interface RecordableCall {
  readonly target: string
  readonly args: readonly WitValue[]
  readonly perform: () => WitValue | PromiseLike<unknown>
  readonly check: (result: unknown) => WitValue
  readonly kind: 'recorded' | 'calling' | 'awaiting'
}

/** Why a turn has to wait (R5). Not an error: nothing failed. */
export class Suspension {
  /** Only calls that were known to wait before they were made can park the guest. */
  readonly kind: RecordableCall['kind']
  readonly target: string
  readonly argsHash: number
  /** Makes the call, or waits for it when it was made; the result is checked (R4). Called once. */
  readonly result: () => Promise<WitValue>

  constructor({ kind, target, args }: SuspendedCall, result: () => Promise<WitValue>) {
    this.kind = kind
    this.target = target
    this.argsHash = hashArguments(args)
    this.result = result
  }
}

type SuspendedCall = Pick<RecordableCall, 'kind' | 'target' | 'args'>

export function suspensionOf(call: RecordableCall, start: () => Promise<unknown>): Suspension {
  const { target, check } = call
  return new Suspension(call, async () => {
    try {
      return check(await start())
    } catch (error) {
      // A call of another actor whose outcome nobody knows is no failure of this turn.
      if (call.kind === 'calling' && isLoomError(error)) throw error
      throw hostCallError(target, error)
    }
  })
}

/** A stack that is full is full of the guest's frames (component/abi/failure.ts F3). */
export function hostCallError(target: string, error: unknown): LoomError {
  if (isLoomError(error) && (error.code === 'ERR_HOST_CALL' || error.code === 'ERR_TRAP'))
    return error
  if (isStackOverflow(error)) return toFailure(error, target)
  const message = error instanceof Error ? error.message : String(error)
  return new LoomError('ERR_HOST_CALL', `${target} failed: ${message}`, { cause: error })
}
