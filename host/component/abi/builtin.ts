/**
 * Built-ins: `resource.new`, `resource.rep` and `resource.drop`, as a guest's core functions.
 *
 * Owns: their rules. Does not own: the table (handles.ts), finding a destructor (instantiate.ts).
 *
 * Invariants:
 *   BI1. No built-in that changes the table runs while the guest is in `realloc` or `post-return`, or after
 *        the run has failed.
 *   BI2. A handle is gone before its destructor runs.
 *
 * Source: CanonicalABI.md, "`canon resource.new`", "`canon resource.drop`", "`canon resource.rep`".
 */

import { BUILTIN_COST } from '../core/meter.ts'
import { trapError } from '../refuse.ts'
import type { WitResource } from '../wit/wit.ts'
import type { CoreFunction, Guard } from './abi.ts'
import { fail, type Run, toFailure } from './failure.ts'
import type { HandleTable } from './handles.ts'

export type BuiltinKind = 'resource-new' | 'resource-rep' | 'resource-drop'

export interface BuiltinContext {
  readonly resource: WitResource
  readonly handles: HandleTable
  readonly guard: Guard
  readonly run: Run
}

/** Destroys what a representation stands for, wherever the resource is defined. */
export type Destroy = (rep: number) => void

export function bindBuiltin(
  kind: BuiltinKind,
  context: BuiltinContext,
  destroy: Destroy,
): CoreFunction {
  const { resource, handles, guard, run } = context
  const where = `${kind.replace('-', '.')} of ${resource.name}`
  const checkLeave = (): void => {
    if (run.failure !== null) throw run.failure.error
    if (!guard.mayLeave)
      throw trapError(where, 'the guest must not change handles from realloc or post-return')
  }
  const bodies: Record<BuiltinKind, (value: number) => number | undefined> = {
    'resource-new': (rep) => {
      checkLeave()
      return handles.addOwn(resource, rep)
    },
    'resource-rep': (index) => handles.rep(resource, index),
    'resource-drop': (index) => {
      checkLeave()
      const rep = handles.drop(resource, index)
      if (rep !== null) destroy(rep)
      return undefined
    },
  }
  const body = bodies[kind]
  return (value) => {
    try {
      if (!run.meter.charge(BUILTIN_COST)) throw trapError(where, 'too many calls of built-ins')
      return body((value as number) >>> 0)
    } catch (error) {
      throw run.failure === null ? fail(run, toFailure(error, where)) : run.failure.error
    }
  }
}
