/**
 * Canonical definitions: lifted and lowered functions and the built-ins of resources.
 *
 * Owns: that core functions have the types that the Canonical ABI asks for. Does not own: which (../signature.ts).
 *
 * Source: CanonicalABI.md, "Canonical Definitions"; Component Model Explainer.md, "Canonical Built-ins".
 */

import { checkOptions, checkSignature, flattenFunc, REALLOC } from '../abi/signature.ts'
import type { CanonOptions, Definition } from '../binary/ast.ts'
import { type FuncShape, shapeSize } from '../binary/types.ts'
import type { CoreExtern } from '../core/module.ts'
import type { Scope } from './scope.ts'

type Lift = Extract<Definition, { kind: 'lift' }>
type Lower = Extract<Definition, { kind: 'lower' }>
type Builtin = Extract<Definition, { kind: 'resource-new' | 'resource-drop' | 'resource-rep' }>

const I32 = 'i32' as const
const BUILTINS = {
  'resource-new': { params: [I32], results: [I32] },
  'resource-rep': { params: [I32], results: [I32] },
  'resource-drop': { params: [I32], results: [] },
}
const DESTRUCTOR = BUILTINS['resource-drop']

function checkAllocation({ memory, realloc }: CanonOptions, scope: Scope): void {
  if (memory !== null) scope.at(scope.core.memory, memory, 'core memory')
  if (realloc !== null) checkSignature('realloc', scope.coreFunc(realloc), REALLOC, scope.offset)
}

export function lift({ coreFunc, options, type }: Lift, scope: Scope): FuncShape {
  const shape = scope.func(type)
  scope.budget.spend(shapeSize(shape))
  const flat = flattenFunc(shape, 'lift')
  const core = scope.coreFunc(coreFunc)
  checkOptions('lifted function', shape, flat, options, 'lift', scope.offset)
  checkSignature('lifted function', core, flat, scope.offset)
  if (options.postReturn !== null) {
    const expected = { params: flat.results, results: [] }
    checkSignature('post-return', scope.coreFunc(options.postReturn), expected, scope.offset)
  }
  checkAllocation(options, scope)
  return shape
}

export function lower({ func, options }: Lower, scope: Scope): CoreExtern {
  const shape = scope.at(scope.funcs, func, 'function')
  scope.budget.spend(shapeSize(shape))
  const flat = flattenFunc(shape, 'lower')
  checkOptions('lowered function', shape, flat, options, 'lower', scope.offset)
  checkAllocation(options, scope)
  return { kind: 'func', signature: { params: flat.params, results: flat.results } }
}

export function builtin({ kind, type }: Builtin, scope: Scope): CoreExtern {
  const { index } = scope.resource(type)
  if (kind !== 'resource-drop' && !scope.defined.has(index))
    scope.fail(`canon ${kind.replace('-', '.')}: the resource is defined by another component`)
  return { kind: 'func', signature: BUILTINS[kind] }
}

export function checkDestructor(index: number | null, scope: Scope): void {
  if (index !== null) checkSignature('destructor', scope.coreFunc(index), DESTRUCTOR, scope.offset)
}
