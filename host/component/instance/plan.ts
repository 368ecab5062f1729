/**
 * Plan: everything of a component that its instances share.
 *
 * Owns: one call plan per lifted and one trampoline plan per lowered function, the lists of imports and
 * exports. Does not own: instances (instantiate.ts).
 *
 * Invariant P1. After `planComponent`, making an instance looks up nothing and compiles nothing.
 */

import { type CallPlan, planCall } from '../abi/call.ts'
import { type Codec, createCodec } from '../abi/codec.ts'
import { planTrampoline, type TrampolinePlan } from '../abi/trampoline.ts'
import type { StringEncoding } from '../binary/ast.ts'
import type { ComponentExport } from '../component.ts'
import { CHANGING_ELEMENT_SIZE_BYTES } from '../core/fuel-write.ts'
import type { GlobalTypes } from '../core/global-access.ts'
import type { InstrumentedModule } from '../core/instrument.ts'
import type { LinkPlan, LinkStep } from '../link/link.ts'
import type { FuncItem, Item } from '../link/scope.ts'
import { featureError } from '../refuse.ts'
import type { WitFunction, WitInterface } from '../wit/wit.ts'
import { type NumberedFunction, planElements } from './elements.ts'

interface PlannedExport {
  readonly target: ComponentExport
  readonly item: FuncItem
  /** `interface#function`, for messages. */
  readonly where: string
}

export interface ComponentPlan {
  readonly link: LinkPlan
  readonly modules: readonly WebAssembly.Module[]
  readonly instrumented: readonly InstrumentedModule[]
  readonly calls: readonly CallPlan[]
  readonly trampolines: readonly TrampolinePlan[]
  readonly imports: readonly WitInterface[]
  readonly exports: readonly PlannedExport[]
  /** Numbers of the functions that tables may hold; null where no code changes tables. */
  readonly functions: readonly NumberedFunction[] | null
  /** Mutable state that an image does not hold, in words. */
  readonly hidden: readonly string[]
  readonly codec: (encoding: StringEncoding) => Codec
  /** What memories and tables of an instance begin with. Units: bytes. */
  readonly initialSizeBytes: number
  /** Of lowered functions, for messages. */
  readonly lowerPlaces: readonly string[]
  /** How many an instance has: of core instances, left out or not, and of their own memories and mutable globals. */
  readonly counts: {
    readonly instances: number
    readonly memories: number
    readonly globals: number
  }
  /** Of the core instances that define mutable globals, in their order. */
  readonly globalTypes: GlobalTypes
}

export function qualifiedName(interfaceName: string, functionName: string): string {
  return interfaceName === '' ? functionName : `${interfaceName}#${functionName}`
}

/** The module of each core instance that the steps make, by index. */
export function modulesOf(steps: readonly LinkStep[]): number[] {
  return steps.flatMap((step) => (step.kind === 'instantiate' ? [step.module] : []))
}

/** `built`: the plan as the binary has it; `link`: the same, perhaps elided. @throws ERR_COMPONENT_FEATURE */
export function planComponent(
  built: LinkPlan,
  link: LinkPlan,
  instrumented: readonly InstrumentedModule[],
  modules: readonly WebAssembly.Module[],
): ComponentPlan {
  const codecs = new Map<StringEncoding, Codec>()
  const codecOf = (encoding: StringEncoding): Codec => {
    let codec = codecs.get(encoding)
    if (codec === undefined) {
      codec = createCodec(encoding)
      codecs.set(encoding, codec)
    }
    return codec
  }
  const functions = planElements(link, instrumented)
  const hidden = instrumented.flatMap((module) => module.hidden)
  return {
    link,
    modules,
    instrumented,
    calls: link.lifts.map(({ shape, encoding }) => planCall(shape, codecOf(encoding))),
    trampolines: link.lowers.map(({ shape, encoding, target }) =>
      planTrampoline(shape, codecOf(encoding), target.kind === 'host'),
    ),
    imports: groupImports(link),
    exports: listExports(link.exports),
    functions: typeof functions === 'string' ? null : functions,
    hidden: typeof functions === 'string' ? [...hidden, functions] : hidden,
    codec: codecOf,
    initialSizeBytes: initialSize(built, functions !== null),
    lowerPlaces: link.lowers.map(({ target }) => placeOf(link, target)),
    counts: countsOf(link, instrumented),
    globalTypes: globalTypesOf(link, instrumented),
  }
}

function placeOf({ imports }: LinkPlan, target: FuncItem): string {
  const wanted = target.kind === 'host' ? imports[target.importIndex] : undefined
  if (wanted === undefined) return 'call of another component'
  return `import ${qualifiedName(wanted.interfaceName, wanted.func.name)}`
}

/** An engine sets 8 GiB of addresses aside for each memory, whatever its size: a process has room for some 13,000. */
const MEMORY_COUNT_MAX = 100

function countsOf(
  { steps }: LinkPlan,
  instrumented: readonly InstrumentedModule[],
): ComponentPlan['counts'] {
  const counts = { instances: 0, memories: 0, globals: 0 }
  for (const step of steps) {
    if (step.kind === 'elided') counts.instances++
    const module = step.kind === 'instantiate' ? instrumented[step.module] : undefined
    if (module === undefined) continue
    counts.instances++
    counts.memories += module.memories.length
    counts.globals += module.globals.length
  }
  if (counts.memories > MEMORY_COUNT_MAX)
    throw featureError(`more than ${MEMORY_COUNT_MAX} memories in an instance`)
  return counts
}

function globalTypesOf(
  { steps }: LinkPlan,
  instrumented: readonly InstrumentedModule[],
): GlobalTypes {
  return steps.flatMap((step) => {
    const module = step.kind === 'instantiate' ? instrumented[step.module] : undefined
    return module === undefined || module.globals.length === 0 ? [] : [module.globals]
  })
}

const PAGE_SIZE_BYTES = 65_536
/** Of tables that no code changes: two pointers. */
const ELEMENT_SIZE_BYTES = 16

function initialSize({ modules, steps }: LinkPlan, changesTables: boolean): number {
  const elementSize = changesTables ? CHANGING_ELEMENT_SIZE_BYTES : ELEMENT_SIZE_BYTES
  let size = 0
  for (const step of steps) {
    const core = step.kind === 'instantiate' ? modules[step.module]?.core : undefined
    if (core === undefined) continue
    for (const { pagesMin } of core.memories.slice(core.memoryImportCount))
      size += pagesMin * PAGE_SIZE_BYTES
    size += core.tableElementCount * elementSize
  }
  return size
}

/** Functions by interface, in the order of the binary; interfaces that bring types only are left out. */
function groupImports(link: LinkPlan): WitInterface[] {
  const groups = new Map<string, WitFunction[]>()
  for (const { interfaceName, func } of link.imports) {
    const group = groups.get(interfaceName)
    if (group === undefined) groups.set(interfaceName, [func])
    else group.push(func)
  }
  return [...groups].map(([name, functions]) => ({ name, functions }))
}

function listExports(items: ReadonlyMap<string, Item>): PlannedExport[] {
  const exports: PlannedExport[] = []
  const add = (interfaceName: string, name: string, item: FuncItem): void => {
    const func = { name, params: item.shape.params, result: item.shape.result }
    const target = { index: exports.length, interfaceName, func }
    exports.push({ target, item, where: qualifiedName(interfaceName, name) })
  }
  for (const [name, item] of items) {
    if (item.sort === 'func') add('', name, item.func)
    else if (item.sort === 'instance')
      for (const [funcName, inner] of item.exports) {
        if (inner.sort === 'func') add(name, funcName, inner.func)
        else if (inner.sort !== 'type') throw featureError(`${inner.sort} exported by an interface`)
      }
    else if (item.sort !== 'type') throw featureError(`exported ${item.sort} "${name}"`)
  }
  return exports
}
