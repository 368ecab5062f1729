/**
 * Calls of TypeScript actors: how what a method asks of the host passes through the recorder.
 *
 * Invariant TC1: what enters or leaves is copied as the journal gives it back, so that a live turn sees the very
 * values that its replay will see.
 */
import { LoomError } from '../../base/errors.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'
import type { RecordableCall } from '../../hostcalls/suspension.ts'
import { asJournaled } from '../../journal/values.ts'

const asIs = (result: unknown): WitValue => result as WitValue

type Perform = RecordableCall['perform']

export class Calls {
  readonly #recorder: Recorder

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  now(name: string, args: readonly WitValue[], perform: Perform): WitValue {
    return this.#make('recorded', name, args, perform)
  }

  /** A promise, as the author awaits it; a turn that has to wait is unwound through it (R5). */
  async later(
    kind: RecordableCall['kind'],
    name: string,
    args: readonly WitValue[],
    perform: Perform,
  ): Promise<WitValue> {
    return this.#make(kind, name, args, perform)
  }

  #make(
    kind: RecordableCall['kind'],
    name: string,
    args: readonly WitValue[],
    perform: Perform,
  ): WitValue {
    const target = `loom:actor/context#${name}`
    return this.#recorder.call({ kind, target, args, perform, check: asIs }) as WitValue
  }
}

/** Plain data as the journal gives it back (TC1). @throws ERR_ARGUMENT_TYPE */
export function plain(what: string, value: unknown): WitValue {
  try {
    return asJournaled(value) as WitValue
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_ARGUMENT_TYPE', `${what}: expected plain data: ${reason}`)
  }
}
