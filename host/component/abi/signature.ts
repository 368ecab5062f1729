/**
 * Signature: which core function a component-level function needs.
 *
 * Owns: `flatten_functype`, and the checks of canonical options against a type.
 * Does not own: the values (call.ts, trampoline.ts).
 *
 * Source: CanonicalABI.md, "Flattening", "`canonopt` Validation", "`canon lift`", "`canon lower`".
 */
import type { CanonOptions } from '../binary/ast.ts'
import type { FuncShape } from '../binary/types.ts'
import type { Signature } from '../core/module.ts'
import { formatError } from '../refuse.ts'
import {
  alignTo,
  type FlatType,
  flattenAll,
  layoutOf,
  MAX_FLAT_PARAMS,
  MAX_FLAT_RESULTS,
  offsetsOf,
} from '../wit/layout.ts'
import type { WitType } from '../wit/wit.ts'

/** What an allocator looks like: "`canonopt` Validation". */
export const REALLOC = { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'] } as const

/** A tuple in memory: the parameters, or the result, when they are too many to pass flat. */
interface Area {
  readonly size: number
  readonly align: number
  readonly offsets: readonly number[]
}

export interface FlatSignature extends Signature {
  /** The core types of all parameters in sequence; null when they pass through memory. */
  readonly flatParams: readonly FlatType[] | null
  readonly flatResult: readonly FlatType[] | null
  readonly paramArea: Area
  readonly resultArea: Area
}

function areaOf(types: readonly WitType[]): Area {
  const offsets = offsetsOf(types)
  let end = 0
  let align = 1
  types.forEach((type, index) => {
    const layout = layoutOf(type)
    end = (offsets[index] ?? 0) + layout.size
    align = Math.max(align, layout.align)
  })
  return { size: alignTo(end, align), align, offsets }
}

/** `flatten_functype`. */
export function flattenFunc(shape: FuncShape, context: 'lift' | 'lower'): FlatSignature {
  const paramTypes = shape.params.map((param) => param.type)
  const resultTypes = shape.result === null ? [] : [shape.result]
  const flatParams = flattenAll(paramTypes, MAX_FLAT_PARAMS)
  const flatResult = flattenAll(resultTypes, MAX_FLAT_RESULTS)
  const params: FlatType[] = flatParams === null ? ['i32'] : [...flatParams]
  if (flatResult === null && context === 'lower') params.push('i32')
  const returned: readonly FlatType[] = flatResult ?? (context === 'lift' ? ['i32'] : [])
  return {
    params,
    results: returned,
    flatParams,
    flatResult,
    paramArea: areaOf(paramTypes),
    resultArea: areaOf(resultTypes),
  }
}

function equalSignatures(a: Signature, b: Signature): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join()
}

export function formatSignature({ params, results }: Signature): string {
  return `(${params.join(', ')}) -> (${results.join(', ')})`
}

/** @throws ERR_COMPONENT_FORMAT when a core function does not have the signature that its use needs. */
export function checkSignature(
  what: string,
  got: Signature | null,
  expected: Signature,
  offset: number,
): void {
  if (got !== null && equalSignatures(got, expected)) return
  const found = got === null ? 'a type of another proposal' : formatSignature(got)
  throw formatError(
    `${what}: expected core function ${formatSignature(expected)}, got ${found}`,
    offset,
  )
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function checkOptions(
  what: string,
  shape: FuncShape,
  flat: FlatSignature,
  options: CanonOptions,
  context: 'lift' | 'lower',
  offset: number,
): void {
  const paramLayouts = shape.params.map((param) => layoutOf(param.type))
  const resultLayout = shape.result === null ? null : layoutOf(shape.result)
  if (resultLayout?.hasBorrows) throw formatError(`${what}: a result cannot be borrowed`, offset)
  const paramsPoint = paramLayouts.some((layout) => layout.hasPointers)
  const resultPoints = resultLayout?.hasPointers ?? false
  const needsMemory =
    paramsPoint || resultPoints || flat.flatParams === null || flat.flatResult === null
  // Whoever receives allocates: the callee of a lifted function its parameters, the caller of a
  // lowered one its result.
  const needsRealloc = context === 'lift' ? paramsPoint || flat.flatParams === null : resultPoints
  if (needsMemory && options.memory === null)
    throw formatError(`${what}: its type needs the option memory`, offset)
  if (needsRealloc && options.realloc === null)
    throw formatError(`${what}: its type needs the option realloc`, offset)
}
