/**
 * Instantiate: a plan becomes an instance, whose exports can be called.
 *
 * Owns: entry, spoiling. Does not own: core instances (build.ts), plans (plan.ts), images of the state (host/image).
 *
 * States of an instance: idle -> running (call) -> idle (returned) | spoiled (threw; for good);
 *                        idle -> parking (callParking) -> idle | spoiled, when its promise settles.
 *
 * Invariants:
 *   IS1. At most one call runs at a time; a call while another runs or is parked is refused and harms nothing.
 *   IS2. After any throw out of a call the instance is spoiled and refuses every further call: a guest that
 *        was left in the middle has a lowered stack pointer and half-written structures.
 *
 * Source: CanonicalABI.md, "Component Instances", "Embedding"; Explainer.md, "Instance Definitions".
 */
import { LoomError } from '../../base/errors.ts'
import type { BoundCall, ParkingCall } from '../abi/call.ts'
import { fail, type Run, toFailure } from '../abi/failure.ts'
import { listOf } from '../abi/list-of.ts'
import type {
  ComponentExport,
  ComponentInstance,
  GuestLimits,
  ImportResolver,
  InstanceState,
} from '../component.ts'
import { memorySize } from '../core/meter.ts'
import type { WitValue } from '../wit/wit.ts'
import { Builder } from './build.ts'
import type { ParkingPlan } from './parking.ts'
import type { ComponentPlan } from './plan.ts'

/**
 * @throws ERR_TRAP, ERR_FUEL, ERR_BUSY (no address space for another memory), whatever a host function threw.
 */
export function instantiate(
  plan: ComponentPlan,
  resolve: ImportResolver,
  limits: GuestLimits | null,
  parking: ParkingPlan | null = null,
): ComponentInstance {
  return new Instance(plan, resolve, limits, parking)
}

const IDLE = 0
const RUNNING = 1
const SPOILED = 2
const PARKING = 3

const REFUSALS: Readonly<Record<number, string>> = {
  [RUNNING]: 'the instance runs another call',
  [PARKING]: 'the instance is parked in another call',
  [SPOILED]: 'the instance threw before and must be dropped',
}

class Instance implements ComponentInstance {
  readonly state: InstanceState
  readonly #builder: Builder
  readonly #calls: (BoundCall | undefined)[]
  readonly #parkingCalls: ParkingCall[] = []
  readonly #run: Run
  #status = IDLE

  constructor(
    plan: ComponentPlan,
    resolve: ImportResolver,
    limits: GuestLimits | null,
    parking: ParkingPlan | null,
  ) {
    this.#builder = new Builder(plan, resolve, parking)
    this.#calls = listOf(plan.exports.length)
    this.#run = this.#builder.run
    if (limits !== null) this.#run.meter.limit(limits, plan.initialSizeBytes)
    this.#builder.build()
    this.state = this.#builder.state
  }

  call(target: ComponentExport, args: readonly WitValue[]): WitValue {
    const { index } = target
    if (this.#status !== IDLE) throw this.#refusal(index)
    const call = this.#calls[index] ?? this.#bind(index)
    this.#status = RUNNING
    this.#run.meter.begin()
    try {
      const result = call(args)
      if (this.#run.failure !== null) throw this.#run.failure.error
      this.#status = IDLE
      return result
    } catch (error) {
      this.#status = SPOILED
      throw this.#failure(error, index)
    }
  }

  get idle(): boolean {
    return this.#status === IDLE
  }

  get atRest(): boolean {
    return this.#status !== RUNNING && this.#status !== PARKING
  }

  canPark({ index }: ComponentExport): boolean {
    const { plan, parking } = this.#builder
    return parking !== null && plan.exports[index]?.item.kind === 'lifted'
  }

  callParking(target: ComponentExport, args: readonly WitValue[]): Promise<WitValue> {
    const { index } = target
    if (this.#status !== IDLE) throw this.#refusal(index)
    const call = this.#parkingCalls[index] ?? this.#bindParking(index)
    this.#status = PARKING
    this.#run.meter.begin()
    this.#builder.parks.value = 1
    const failed = (error: unknown): never => {
      this.#status = SPOILED
      throw this.#failure(error, index)
    }
    try {
      return call(args).then((result) => {
        if (this.#run.failure !== null) return failed(this.#run.failure.error)
        this.#builder.parks.value = 0
        this.#status = IDLE
        return result
      }, failed)
    } catch (error) {
      return failed(error)
    }
  }

  #bindParking(index: number): ParkingCall {
    const call = this.#builder.bindParkingExport(index)
    this.#parkingCalls[index] = call
    return call
  }

  limit(limits: GuestLimits | null): void {
    this.#run.meter.limit(limits, memorySize(this.state))
  }

  #bind(index: number): BoundCall {
    const call = this.#builder.bindExport(index)
    this.#calls[index] = call
    return call
  }

  #failure(error: unknown, index: number): unknown {
    const { run, plan } = this.#builder
    if (run.failure !== null) return run.failure.error
    return fail(run, toFailure(error, plan.exports[index]?.where ?? ''))
  }

  #refusal(index: number): LoomError {
    const where = this.#builder.plan.exports[index]?.where ?? ''
    return new LoomError('ERR_INVARIANT', `${where}: ${REFUSALS[this.#status]}`)
  }
}
