/**
 * Bound functions: what the imports of an instance call.
 *
 * Owns: who is behind the imports of an instance, and which way a call takes through its recorder, by its kind.
 * Does not own: recording (recorder.ts), what a function does (HostFunctionSpec).
 */
import type { HostFunction } from '../component/component.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { HostCallContext, HostFunctionSpec } from './host-interface.ts'
import type { Recorder } from './recorder.ts'

const asRecorded = (result: unknown): WitValue => result as WitValue

/** Who is behind the imports of an instance: a recycled instance gets another recorder and context. */
export interface HostSeat {
  recorder: Recorder
  context: HostCallContext
}

/** Binds `spec` for one instance: what the guest's import calls. Each call is of who sits there when it begins. */
export function bindHostFunction(
  seat: HostSeat,
  target: string,
  spec: HostFunctionSpec,
  check: (result: unknown) => WitValue,
): HostFunction {
  if (spec.kind === 'pure')
    return (...args) => {
      const { recorder, context } = seat
      const perform = (): WitValue => spec.perform(context, args, 0) as WitValue
      if (spec.standsIn === true && recorder.holds(target, args))
        return recorder.call({ target, args, perform, check, kind: 'recorded' })
      return recorder.callPure(target, perform)
    }
  const { kind, derive, resolve } = spec
  if (derive !== undefined)
    return (...given) => {
      const { recorder, context } = seat
      const args = resolve === undefined ? given : resolve(context, given)
      const index = recorder.position
      const perform = (): WitValue | PromiseLike<unknown> => spec.perform(context, args, index)
      const call = { target, args, perform, check: asRecorded, kind }
      const derived = (recorded: WitValue): WitValue =>
        recorder.callPure(target, () => derive(context, recorded))
      const recorded = recorder.call(call)
      return recorded instanceof Promise ? recorded.then(derived) : derived(recorded as WitValue)
    }
  return (...args) => {
    const { recorder, context } = seat
    const index = recorder.position
    const perform = (): WitValue | PromiseLike<unknown> => spec.perform(context, args, index)
    return recorder.call({ target, args, perform, check, kind })
  }
}
