/**
 * Call: how the host calls an export (`canon lift`).
 *
 * Owns: one plan per lifted function, which an instance binds to its core function.
 * Does not own: entry and spoiling of instances (instantiate.ts), imports (trampoline.ts).
 *
 * Invariants:
 *   C1. A plan depends on the function's type and options alone; all instances share it.
 *   C2. A function of scalars touches no memory, no array and no view.
 *   C4. Handles that a call borrows are dropped when its result is lifted.
 *   C3. Post-return runs after the result was lifted, and must not call out.
 *
 * Source: CanonicalABI.md, "`canon lift`", "Lifting and Lowering Values".
 */

import type { FuncShape } from '../binary/types.ts'
import { flatCountOf, layoutOf } from '../wit/layout.ts'
import type { WitValue } from '../wit/wit.ts'
import type { Abi, CoreFunction } from './abi.ts'
import type { Codec } from './codec.ts'
import { type CoreValue, scalarLifter } from './lift-flat.ts'
import { scalarLowerer } from './lower-flat.ts'
import { type FlatSignature, flattenFunc } from './signature.ts'

/** A lifted function of one instance. */
export type BoundCall = (args: readonly WitValue[]) => WitValue

/** Binds the plan to an instance. */
export type CallPlan = (core: CoreFunction, abi: Abi, postReturn: CoreFunction | null) => BoundCall

type LiftResult = (abi: Abi, raw: CoreValue) => WitValue
type LowerScalar = (value: WitValue) => CoreValue

export function planCall(shape: FuncShape, codec: Codec): CallPlan {
  const flat = flattenFunc(shape, 'lift')
  const liftResult = resultLifter(shape, flat, codec)
  const scalars = shape.params.map((param) => scalarLowerer(param.type))
  const scalarResult = shape.result === null ? returnNothing : scalarLifter(shape.result)
  if (scalarResult !== null && scalars.length <= 4 && scalars.every((scalar) => scalar !== null)) {
    const identity = scalars.every((scalar) => scalar?.identity === true)
    const lowers = scalars.map((scalar) => scalar?.lower ?? returnNothing)
    return scalarPlan(lowers, identity, scalarResult)
  }
  const lowerParams = paramsLowerer(shape, flat, codec)
  const invoke = invoker(flat.params.length)
  // One array for all calls: nothing can call this function again before `invoke` has read it.
  const values: CoreValue[] = flat.params.map((type) => (type === 'i64' ? 0n : 0))
  const borrows = shape.params.some((param) => layoutOf(param.type).hasBorrows)
  return (core, abi, postReturn) => (args) => {
    abi.refresh()
    if (borrows) abi.handles.enter()
    lowerParams(abi, values, args)
    const raw = invoke(core, values)
    abi.begin()
    const result = liftResult(abi, raw)
    if (borrows) abi.handles.leave()
    if (postReturn !== null) runPostReturn(abi, postReturn, raw)
    return result
  }
}

/** A lifted function of one instance that is entered on a stack of its own (parking.ts). */
export type ParkingCall = (args: readonly WitValue[]) => Promise<WitValue>

/** Binds the plan to an instance; `core` is what `WebAssembly.promising` made of the core function. */
export type ParkingCallPlan = (
  core: CoreFunction,
  abi: Abi,
  postReturn: CoreFunction | null,
) => ParkingCall

/** As `planCall`, for functions that may wait: always through arrays, as waiting costs more than those. */
export function planParkingCall(shape: FuncShape, codec: Codec): ParkingCallPlan {
  const flat = flattenFunc(shape, 'lift')
  const liftResult = resultLifter(shape, flat, codec)
  const lowerParams = paramsLowerer(shape, flat, codec)
  const invoke = invoker(flat.params.length)
  const values: CoreValue[] = flat.params.map((type) => (type === 'i64' ? 0n : 0))
  const borrows = shape.params.some((param) => layoutOf(param.type).hasBorrows)
  return (core, abi, postReturn) => (args) => {
    abi.refresh()
    if (borrows) abi.handles.enter()
    lowerParams(abi, values, args)
    const returned = invoke(core, values) as unknown as Promise<CoreValue>
    return returned.then((raw) => {
      abi.begin()
      const result = liftResult(abi, raw)
      if (borrows) abi.handles.leave()
      if (postReturn !== null) runPostReturn(abi, postReturn, raw)
      return result
    })
  }
}

function returnNothing(): never {
  return undefined as never
}

function runPostReturn(abi: Abi, postReturn: CoreFunction, raw: unknown): void {
  abi.guard.mayLeave = false
  if (raw === undefined) postReturn()
  else postReturn(raw)
  abi.guard.mayLeave = true
}

/** Functions of up to four scalars, by arity; numbers and bigints pass as they are (`identity`). */
function scalarPlan(
  lowers: readonly LowerScalar[],
  identity: boolean,
  lift: (core: CoreValue) => WitValue,
): CallPlan {
  const [a = returnNothing, b = returnNothing, c = returnNothing, d = returnNothing] = lowers
  const invokeOf = (core: CoreFunction): ((args: readonly WitValue[]) => unknown) => {
    switch (lowers.length) {
      case 0:
        return () => core()
      case 1:
        return identity ? (args) => core(args[0]) : (args) => core(a(args[0]))
      case 2:
        return identity ? (args) => core(args[0], args[1]) : (args) => core(a(args[0]), b(args[1]))
      case 3:
        return (args) => core(a(args[0]), b(args[1]), c(args[2]))
      default:
        return (args) => core(a(args[0]), b(args[1]), c(args[2]), d(args[3]))
    }
  }
  return (core, abi, postReturn) => {
    const invoke = invokeOf(core)
    if (postReturn === null) return (args) => lift(invoke(args) as CoreValue)
    return (args) => {
      const raw = invoke(args)
      const result = lift(raw as CoreValue)
      runPostReturn(abi, postReturn, raw)
      return result
    }
  }
}

/** `lower_flat_values` for parameters. */
function paramsLowerer(
  shape: FuncShape,
  { flatParams, paramArea }: FlatSignature,
  codec: Codec,
): (abi: Abi, flat: CoreValue[], args: readonly WitValue[]) => void {
  if (flatParams === null) {
    const stores = shape.params.map((param) => codec.lowerMemory.storer(param.type))
    const { offsets, align, size } = paramArea
    return (abi, flat, args) => {
      const pointer = abi.allocate(align, size)
      for (let index = 0; index < stores.length; index++)
        stores[index]?.(abi, pointer + (offsets[index] ?? 0), args[index])
      flat[0] = pointer
    }
  }
  let at = 0
  const lowers = shape.params.map(({ type }) => {
    const lower = codec.lowerFlat.lowerer(type, at, flatParams)
    at += flatCountOf(type)
    return lower
  })
  return (abi, flat, args) => {
    for (let index = 0; index < lowers.length; index++) lowers[index]?.(abi, flat, args[index])
  }
}

/** `lift_flat_values` for the result. */
function resultLifter(
  { result }: FuncShape,
  { flatResult, resultArea }: FlatSignature,
  codec: Codec,
): LiftResult {
  if (result === null) return returnNothing
  if (flatResult !== null) {
    const lift = codec.liftFlat.lifter(result, 0, flatResult)
    return (abi, raw) => lift(abi, [raw])
  }
  const load = codec.liftMemory.loader(result)
  const { align, size } = resultArea
  return (abi, raw) => {
    const pointer = (raw as number) >>> 0
    abi.checkRange('result', pointer, align, size)
    return load(abi, pointer)
  }
}

/** Calls with a fixed number of arguments, which the engine prefers to a spread. */
function invoker(count: number): (core: CoreFunction, flat: readonly CoreValue[]) => CoreValue {
  switch (count) {
    case 0:
      return (core) => core() as CoreValue
    case 1:
      return (core, f) => core(f[0]) as CoreValue
    case 2:
      return (core, f) => core(f[0], f[1]) as CoreValue
    case 3:
      return (core, f) => core(f[0], f[1], f[2]) as CoreValue
    case 4:
      return (core, f) => core(f[0], f[1], f[2], f[3]) as CoreValue
    case 5:
      return (core, f) => core(f[0], f[1], f[2], f[3], f[4]) as CoreValue
    case 6:
      return (core, f) => core(f[0], f[1], f[2], f[3], f[4], f[5]) as CoreValue
    default:
      return (core, f) => core(...f) as CoreValue
  }
}
