/**
 * Handles: what callers hold of an actor. A handle outlives evictions; a call activates the actor anew.
 */
import type { Activation } from '../actor/activation/activation.ts'
import type { ActorMethod } from '../actor/program/program.ts'
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, checkIdempotencyKey, formatActorKey } from '../base/names.ts'
import type { JsonValue, WitValue } from '../component/wit/wit.ts'
import type { Pool } from '../pool/pool.ts'
import type { ActorHandle, CallRequest, JsonRequest, ReminderHandle, TimerHandle } from './api.ts'
import { type CallTimeouts, checkTimeout } from './call-timeout.ts'
import { useWithReminders } from './reminders.ts'
import { reminderHandle, timerHandle, type UseActivation } from './tick-handles.ts'

export interface HandleOptions {
  readonly pool: Pool
  readonly clock: Clock
  readonly timeouts: CallTimeouts
  readonly key: ActorKey
}

export class PooledHandle implements ActorHandle {
  readonly #pool: Pool
  readonly #key: ActorKey
  readonly #name: string
  readonly reminders: ReminderHandle
  readonly timers: TimerHandle
  readonly #timeouts: CallTimeouts

  constructor({ pool, clock, timeouts, key }: HandleOptions) {
    this.#pool = pool
    this.#timeouts = timeouts
    this.#key = key
    this.#name = formatActorKey(key)
    const use: UseActivation = (run) => useWithReminders(pool, key, run)
    this.reminders = reminderHandle(clock, use)
    this.timers = timerHandle(clock, use)
  }

  get actorId(): string {
    return this.#key.id
  }

  get actorType(): string {
    return this.#key.type
  }

  call(method: string, ...args: unknown[]): Promise<WitValue> {
    return this.#run(method, args, null)
  }

  async execute(request: CallRequest): Promise<WitValue> {
    const { method, args, timeoutMs } = readRequest(request)
    const key = this.#keyOf(request)
    return this.#limited(this.#run(method, args, key), method, key, timeoutMs)
  }

  /** Runs `payload`: a request, or the input of the actor's `execute`. */
  async route(payload: unknown, idempotencyKey: string | undefined): Promise<WitValue> {
    if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey)
    if (isRequest(payload)) {
      const key = idempotencyKey === undefined ? {} : { idempotencyKey }
      return this.execute({ ...payload, ...key })
    }
    return this.#run('execute', [payload], idempotencyKey ?? null)
  }

  async executeJson(request: JsonRequest): Promise<JsonValue> {
    const { method, args, timeoutMs } = readRequest(request)
    const key = this.#keyOf(request)
    const run = async (activation: Activation): Promise<JsonValue> => {
      const found = findMethod(activation, method)
      if (request.query === true) activation.queries.check(found.name)
      const values = found.fromJson(args as readonly JsonValue[])
      return found.toJson(
        await activation.call({ method: found, args: values, idempotencyKey: key, caller: null }),
      )
    }
    const activation = this.#resident()
    const running = activation === undefined ? this.#pool.use(this.#key, run) : run(activation)
    return this.#limited(running, method, key, timeoutMs)
  }

  #keyOf({ idempotencyKey, timeoutMs }: CallRequest): string | null {
    return idempotencyKey ?? (timeoutMs === undefined ? null : this.#timeouts.newKey())
  }

  #limited<T>(
    running: Promise<T>,
    method: string,
    key: string | null,
    timeoutMs: number | undefined,
  ): Promise<T> {
    if (timeoutMs === undefined || key === null) return running
    return this.#timeouts.limit(`${this.#name} ${method}`, key, timeoutMs, running)
  }

  /** Without waiting where the actor is resident: this is the path of every warm call. */
  #run(name: string, args: readonly unknown[], key: string | null): Promise<WitValue> {
    const activation = this.#resident()
    if (activation === undefined)
      return this.#pool.use(this.#key, (activated) => callMethod(activated, name, args, key))
    try {
      return callMethod(activation, name, args, key)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #resident(): Activation | undefined {
    const activation = this.#pool.peek(this.#name)
    return activation?.closed === true ? undefined : activation
  }
}

function isRequest(payload: unknown): payload is CallRequest {
  return typeof payload === 'object' && payload !== null && 'method' in payload
}

function readRequest(request: CallRequest): {
  method: string
  args: readonly unknown[]
  timeoutMs: number | undefined
} {
  const { method, args = [], idempotencyKey, timeoutMs } = request
  if (typeof method !== 'string')
    throw new LoomError('ERR_OPTION', `method: expected a string, got ${typeof method}`)
  if (!Array.isArray(args))
    throw new LoomError('ERR_OPTION', `args: expected an array, got ${typeof args}`)
  if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey)
  if (timeoutMs !== undefined) checkTimeout(timeoutMs)
  return { method, args, timeoutMs }
}

function callMethod(
  activation: Activation,
  name: string,
  args: readonly unknown[],
  key: string | null,
): Promise<WitValue> {
  const method = findMethod(activation, name)
  return activation.call({ method, args: method.check(args), idempotencyKey: key, caller: null })
}

const METHODS_SHOWN_MAX = 20

/** `interfaceName`: the one that must have the method. @throws ERR_METHOD_UNKNOWN */
export function findMethod(
  { program, key }: Pick<Activation, 'key' | 'program'>,
  name: string,
  interfaceName?: string,
): ActorMethod {
  const method =
    interfaceName === undefined
      ? program.findMethod(name)
      : program.findFunction(interfaceName, name)
  if (method !== undefined) return method
  const known = program.methods.map((other) => other.name)
  const ofInterface = interfaceName === undefined ? '' : ` of ${interfaceName}`
  const shown = known.slice(0, METHODS_SHOWN_MAX).join(', ')
  throw new LoomError(
    'ERR_METHOD_UNKNOWN',
    `${formatActorKey(key)} has no method ${JSON.stringify(name)}${ofInterface}; it has: ${shown || 'none'}`,
    { data: { methods: known } },
  )
}
