/**
 * Parking: waiting for a host function on the guest's own stack (JSPI), and which components can.
 *
 * Owns: the plan of it, and the router between the two ways into the host.
 * Does not own: what is waited for, and for how long (actor/).
 *
 * An import that suspends cannot be called at all from an export that was entered the plain way. So each
 * import that waits has two functions, and a small module that chooses; no JavaScript stands in between:
 *
 *   export  <- plain call            guest -> router -> plain trampoline
 *   export  <- promising(export)     guest -> router -> Suspending(trampoline)
 *
 * Invariants:
 *   PK1. Whether a component can park depends on it, on the engine, and on which imports wait: not on a run.
 *   PK2. A stack that can be parked holds frames of WebAssembly only. A call from one component to another, a
 *        destructor and an allocator are entered through JavaScript; where such an entry could lead to
 *        an import that waits, the component never parks.
 *
 * Source: JavaScript Promise Integration, phase 4, "WebAssembly.Suspending", "WebAssembly.promising".
 */
import { type ParkingCallPlan, planParkingCall } from '../abi/call.ts'
import type { Codec } from '../abi/codec.ts'
import { flattenFunc } from '../abi/signature.ts'
import { planTrampoline, type TrampolinePlan } from '../abi/trampoline.ts'
import type { Signature } from '../core/module.ts'
import type { LinkPlan } from '../link/link.ts'
import type { CoreSource } from '../link/scope.ts'
import type { WitFunction } from '../wit/wit.ts'
import { Writer } from '../writer.ts'
import type { ComponentPlan } from './plan.ts'

/** One import that waits. */
export interface ParkingLower {
  readonly trampoline: TrampolinePlan
  readonly router: WebAssembly.Module
}

export interface ParkingPlan {
  /** By lowered function; those that do not wait are left out. */
  readonly lowers: ReadonlyMap<number, ParkingLower>
  /** The plan of a lifted function; made when it is first asked for. */
  readonly call: (lift: number) => ParkingCallPlan
}

const ROUTER_MODULE = 'loom:parking'
const CODES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const

export function hasParking(): boolean {
  return typeof WebAssembly.Suspending === 'function' && typeof WebAssembly.promising === 'function'
}

/** Null where instances cannot be parked (PK1). */
export function planParking(
  { link, codec }: ComponentPlan,
  waits: (interfaceName: string, func: WitFunction) => boolean,
): ParkingPlan | null {
  if (!hasParking()) return null
  const waiting = link.imports.map(({ interfaceName, func }) => waits(interfaceName, func))
  const indices = link.lowers.flatMap(({ target }, index) =>
    target.kind === 'host' && waiting[target.importIndex] === true ? [index] : [],
  )
  if (indices.length === 0 || reachesThroughHost(link, new Set(indices))) return null
  const routers = new Map<string, WebAssembly.Module>()
  const lowers = new Map<number, ParkingLower>()
  for (const index of indices) {
    const lower = link.lowers[index]
    if (lower === undefined) continue
    const flat = flattenFunc(lower.shape, 'lower')
    const key = `${flat.params.join()}:${flat.results.join()}`
    const router = routers.get(key) ?? new WebAssembly.Module(routerBytes(flat))
    routers.set(key, router)
    const trampoline = planTrampoline(lower.shape, codec(lower.encoding), true, true)
    lowers.set(index, { trampoline, router })
  }
  return { lowers, call: callPlans(link, codec) }
}

function callPlans(
  { lifts }: LinkPlan,
  codec: (encoding: LinkPlan['lifts'][number]['encoding']) => Codec,
): ParkingPlan['call'] {
  const plans: ParkingCallPlan[] = []
  return (index) => {
    let plan = plans[index]
    const lift = lifts[index]
    if (plan !== undefined) return plan
    if (lift === undefined) throw new RangeError(`no lifted function ${index}`)
    plan = planParkingCall(lift.shape, codec(lift.encoding))
    plans[index] = plan
    return plan
  }
}

/** True when JavaScript may stand on the stack below an import that waits (PK2). */
function reachesThroughHost(link: LinkPlan, waiting: ReadonlySet<number>): boolean {
  const { lowers, lifts, abis, resources, builtins } = link
  const owners = new Set<number>()
  for (const index of waiting) owners.add(abis[lowers[index]?.abi ?? -1]?.owner ?? -1)
  const isOwner = (owner: number): boolean => owners.has(owner)
  if (lowers.some(({ enters }) => enters.some(isOwner))) return true
  if (builtins.some(({ enters }) => enters.some(isOwner))) return true
  const dropped = builtins.filter(({ kind }) => kind === 'resource-drop')
  for (const { resource: index } of dropped) {
    const planned = resources[index]
    if (planned?.kind === 'guest' && planned.destructor !== null && isOwner(planned.resource.owner))
      return true
  }
  // The import itself where the binder calls a function: there is no guest that could be parked.
  const isImport = (source: CoreSource | null): boolean =>
    source?.kind === 'lowered' && waiting.has(source.index)
  return (
    lifts.some(({ core, postReturn }) => isImport(core) || isImport(postReturn)) ||
    abis.some(({ realloc }) => isImport(realloc))
  )
}

/** `(func (export "f") P... -> R (if parked (then call suspending) (else call plain)))` */
function routerBytes({ params, results }: Signature): Uint8Array<ArrayBuffer> {
  const out = new Writer()
  const section = (id: number, write: (body: Writer) => void): void => {
    const body = new Writer()
    write(body)
    out.byte(id)
    out.u32(body.written.length)
    out.bytes(body.written)
  }
  const types = (body: Writer, list: Signature['params']): void => {
    body.u32(list.length)
    for (const type of list) body.byte(CODES[type as keyof typeof CODES])
  }
  out.code(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  section(1, (body) => {
    body.code(1, 0x60)
    types(body, params)
    types(body, results)
  })
  section(2, (body) => {
    body.u32(3)
    for (const name of ['plain', 'suspending']) {
      body.name(ROUTER_MODULE)
      body.name(name)
      body.code(0x00, 0)
    }
    body.name(ROUTER_MODULE)
    body.name('parks')
    body.code(0x03, CODES.i32, 0x01)
  })
  section(3, (body) => body.code(1, 0))
  section(7, (body) => {
    body.u32(1)
    body.name('f')
    body.code(0x00, 2)
  })
  section(10, (body) => {
    const code = new Writer()
    const pass = (callee: number): void => {
      for (let index = 0; index < params.length; index++) {
        code.byte(0x20)
        code.u32(index)
      }
      code.code(0x10, callee)
    }
    const [result] = results
    code.code(0x00, 0x23, 0x00, 0x04)
    code.byte(result === undefined ? 0x40 : CODES[result as keyof typeof CODES])
    pass(1)
    code.byte(0x05)
    pass(0)
    code.code(0x0b, 0x0b)
    body.u32(1)
    body.u32(code.written.length)
    body.bytes(code.written)
  })
  return out.written.slice()
}

function parksGlobal(): WebAssembly.Global {
  return new WebAssembly.Global({ value: 'i32', mutable: true }, 0)
}

const NEVER_PARKS = parksGlobal()

/** What tells an instance's routers which way to go. */
export function parksOf(parking: ParkingPlan | null): WebAssembly.Global {
  return parking === null ? NEVER_PARKS : parksGlobal()
}

/** The function that an instance's core modules import: it suspends while `parks` is 1. */
export function routed(
  { router }: ParkingLower,
  plain: (...flat: never[]) => unknown,
  waiting: (...flat: never[]) => unknown,
  parks: WebAssembly.Global,
): (...flat: unknown[]) => unknown {
  const suspending = new WebAssembly.Suspending(waiting)
  const imports = { [ROUTER_MODULE]: { plain, suspending, parks } }
  return new WebAssembly.Instance(router, imports).exports.f as (...flat: unknown[]) => unknown
}
