/**
 * Trampoline: how a guest calls an import (`canon lower`).
 *
 * Owns: one plan per lowered function, which an instance binds to a host function.
 * Does not own: which host function (the embedder's resolver), calls of exports (call.ts).
 *
 * Invariants:
 *   T1. A plan depends on the function's type and options alone; all instances share it.
 *   T2. No call leaves while the guest is in `realloc` or `post-return`, or after the run has failed.
 *   T4. What a call lends comes back when its result has been lowered.
 *   T5. A promise is waited for only by functions that were planned to wait; of others it is a wrong result.
 *   T3. What a host function returns is checked before anything of it reaches the guest.
 *
 * Source: CanonicalABI.md, "`canon lower`", "Lifting and Lowering Values".
 */

import type { FuncShape } from '../binary/types.ts'
import type { HostFunction } from '../component.ts'
import { HOST_CALL_COST, hostCallCost } from '../core/meter.ts'
import { trapError } from '../refuse.ts'
import { toResultError } from '../values/arguments.ts'
import { type Check, checkerOf } from '../values/check.ts'
import { flatCountOf, layoutOf } from '../wit/layout.ts'
import type { WitValue } from '../wit/wit.ts'
import type { Abi, Guard } from './abi.ts'
import type { Codec } from './codec.ts'
import { fail, type Run, toFailure, toHostFailure } from './failure.ts'
import { type CoreValue, scalarLifter } from './lift-flat.ts'
import { scalarLowerer } from './lower-flat.ts'
import { type FlatSignature, flattenFunc } from './signature.ts'

/** The core function of an instance's import; a promise only where it was planned to wait. */
type Trampoline = (...flat: CoreValue[]) => CoreValue | undefined | Promise<CoreValue | undefined>

/** Binds the plan to an instance. `where` names the import in messages. */
export type TrampolinePlan = (abi: Abi, run: Run, host: HostFunction, where: string) => Trampoline

type ResultLowerer = (
  abi: Abi,
  flat: readonly CoreValue[],
  value: WitValue,
) => CoreValue | undefined

/**
 * `isHost`: the callee is not another component, whose results need no check. `waits`: the function returns
 * a promise when the host does, for an import that suspends (T5, parking.ts).
 */
export function planTrampoline(
  shape: FuncShape,
  codec: Codec,
  isHost: boolean,
  waits = false,
): TrampolinePlan {
  const flat = flattenFunc(shape, 'lower')
  const check = !isHost || shape.result === null ? null : checkerOf(shape.result)
  const lifts = shape.params.map((param) => scalarLifter(param.type))
  const result = shape.result === null ? returnNothing : scalarLowerer(shape.result)?.lower
  const isScalar = lifts.length <= 3 && lifts.every((lift) => lift !== null)
  if (result !== undefined && isScalar && !waits)
    return scalarPlan(
      lifts.map((lift) => lift ?? returnNothing),
      check,
      result,
    )
  const lends = shape.params.some((param) => layoutOf(param.type).hasBorrows)
  const lower = resultLowerer(shape, flat, codec)
  const types = [...shape.params.map(({ type }) => type), ...(shape.result ? [shape.result] : [])]
  const cost = hostCallCost(types.reduce((size, type) => size + layoutOf(type).hostSize, 0))
  return generalPlan(paramsLifter(shape, flat, codec), check, lower, { lends, waits, cost })
}

function returnNothing(): never {
  return undefined as never
}

/** What to throw when the guest may not call out (T2), or has used up what its calls may cost. */
function refusal(run: Run, guard: Guard, where: string): unknown {
  if (run.failure !== null) return run.failure.error
  const rule = guard.mayLeave
    ? 'too many host calls'
    : 'the guest must not call imports from realloc or post-return'
  return fail(run, trapError(where, rule))
}

/** Functions of up to three scalars: no arrays, no memory. */
function scalarPlan(
  lifts: readonly ((core: CoreValue) => WitValue)[],
  check: Check | null,
  lower: (value: WitValue) => CoreValue,
): TrampolinePlan {
  const [a = returnNothing, b = returnNothing, c = returnNothing] = lifts
  return (abi, run, host, where) => {
    const { guard } = abi
    const finish = (value: WitValue): CoreValue => {
      try {
        return lower(check === null ? value : check(value))
      } catch (error) {
        throw fail(run, toHostFailure(toResultError(error, where), where))
      }
    }
    const failed = (error: unknown): unknown => fail(run, toHostFailure(error, where))
    switch (lifts.length) {
      case 0:
        return () => {
          if (!guard.mayLeave || run.failure !== null || !run.meter.charge(HOST_CALL_COST))
            throw refusal(run, guard, where)
          let value: WitValue
          try {
            value = host() as WitValue
          } catch (error) {
            throw failed(error)
          }
          return finish(value)
        }
      case 1:
        return (x) => {
          if (!guard.mayLeave || run.failure !== null || !run.meter.charge(HOST_CALL_COST))
            throw refusal(run, guard, where)
          let value: WitValue
          try {
            value = host(a(x as CoreValue)) as WitValue
          } catch (error) {
            throw failed(error)
          }
          return finish(value)
        }
      default:
        return (x, y, z) => {
          if (!guard.mayLeave || run.failure !== null || !run.meter.charge(HOST_CALL_COST))
            throw refusal(run, guard, where)
          let value: WitValue
          try {
            value = (
              lifts.length === 2
                ? host(a(x as CoreValue), b(y as CoreValue))
                : host(a(x as CoreValue), b(y as CoreValue), c(z as CoreValue))
            ) as WitValue
          } catch (error) {
            throw failed(error)
          }
          return finish(value)
        }
    }
  }
}

/** Any other function: through one array of core values, and memory where the type needs it. */
function generalPlan(
  liftParams: (abi: Abi, flat: readonly CoreValue[]) => WitValue[],
  check: Check | null,
  lowerResult: ResultLowerer,
  { lends, waits, cost }: { lends: boolean; waits: boolean; cost: number },
): TrampolinePlan {
  return (abi, run, host, where) => {
    const finish = (
      flat: readonly CoreValue[],
      lentCount: number,
      value: WitValue,
    ): CoreValue | undefined => {
      let checked = value
      try {
        if (check !== null) checked = check(value)
      } catch (error) {
        throw fail(run, toHostFailure(toResultError(error, where), where))
      }
      try {
        abi.refresh()
        const result = lowerResult(abi, flat, checked)
        if (lends) abi.handles.release(lentCount)
        return result
      } catch (error) {
        throw fail(run, toFailure(error, where))
      }
    }
    return (...flat) => {
      if (!abi.guard.mayLeave || run.failure !== null || !run.meter.charge(cost))
        throw refusal(run, abi.guard, where)
      let args: WitValue[]
      const lentCount = lends ? abi.handles.lentCount : 0
      try {
        abi.begin()
        args = liftParams(abi, flat)
      } catch (error) {
        throw fail(run, toFailure(error, where))
      }
      if (!run.meter.charge(abi.cost)) throw refusal(run, abi.guard, where)
      let value: WitValue | Promise<WitValue>
      try {
        value = host(...args)
      } catch (error) {
        throw fail(run, toHostFailure(error, where))
      }
      if (!waits || !(value instanceof Promise)) return finish(flat, lentCount, value as WitValue)
      return value.then(
        (awaited) => finish(flat, lentCount, awaited as WitValue),
        (error) => {
          throw fail(run, toHostFailure(error, where))
        },
      )
    }
  }
}

/** `lift_flat_values` for parameters. */
function paramsLifter(
  shape: FuncShape,
  { flatParams, paramArea }: FlatSignature,
  codec: Codec,
): (abi: Abi, flat: readonly CoreValue[]) => WitValue[] {
  if (flatParams === null) {
    const loads = shape.params.map((param) => codec.liftMemory.loader(param.type))
    const { offsets, align, size } = paramArea
    return (abi, flat) => {
      const pointer = (flat[0] as number) >>> 0
      abi.checkRange('parameters', pointer, align, size)
      return loads.map((load, index) => load(abi, pointer + (offsets[index] ?? 0)))
    }
  }
  let at = 0
  const lifts = shape.params.map(({ type }) => {
    const lift = codec.liftFlat.lifter(type, at, flatParams)
    at += flatCountOf(type)
    return lift
  })
  return (abi, flat) => lifts.map((lift) => lift(abi, flat))
}

/** `lower_flat_values` for the result; one that is not flat goes where the guest's last argument says. */
function resultLowerer(
  { result }: FuncShape,
  { flatResult, resultArea, params }: FlatSignature,
  codec: Codec,
): ResultLowerer {
  if (result === null) return () => undefined
  if (flatResult !== null) {
    const lower = codec.lowerFlat.lowerer(result, 0, flatResult)
    return (abi, _, value) => {
      const core: CoreValue[] = [0]
      lower(abi, core, value)
      return core[0]
    }
  }
  const store = codec.lowerMemory.storer(result)
  const { align, size } = resultArea
  const last = params.length - 1
  return (abi, flat, value) => {
    const pointer = (flat[last] as number) >>> 0
    abi.checkRange('result', pointer, align, size)
    store(abi, pointer, value)
    return undefined
  }
}
