/**
 * createRuntime: the composition root. Opens the store, and joins types, pool and host interfaces.
 *
 * Owns: which parts make a host. Does not own: any of their work.
 */
import type { Activation } from '../actor/activation/activation.ts'
import { checkJournalPolicy, KEEP_ALL } from '../actor/journal/journal-retention.ts'
import { InstanceStock } from '../actor/program/instance-stock.ts'
import { ParkedTurns } from '../actor/turn/parked-turns.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { SPARE_INSTANCE_COUNT_MAX } from '../base/limits.ts'
import { type ActorKey, checkActorId, checkTypeName, formatActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'
import { type Random, systemRandom } from '../base/random.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { JsonValue, WitValue } from '../component/wit/wit.ts'
import { Fetcher } from '../hostcalls/fetch.ts'
import { providedInterface } from '../hostcalls/provided.ts'
import { nodeHttp } from '../http/node/node-http.ts'
import { PayloadStore } from '../journal/payload-store.ts'
import { Pool } from '../pool/pool.ts'
import type { ActorSummary, QuarantineRow } from '../store/store.ts'
import { Activations } from './activations.ts'
import { ActorCalls } from './actor-calls.ts'
import { type ImportHome, importActor, parseExport } from './actor-import.ts'
import type {
  ActorDescription,
  ActorHandle,
  ActorTypeDefinition,
  ActorTypeDescription,
  CloseOptions,
  JsonRequest,
  LogLine,
  Message,
  ProvidedInterface,
  ReminderDescription,
  Runtime,
  RuntimeLimits,
  RuntimeOptions,
  RuntimeStats,
  TypedActorHandle,
} from './api.ts'
import { BlobCollection } from './blob-collection.ts'
import { CallTimeouts } from './call-timeout.ts'
import { DeepReplays } from './deep-replay.ts'
import { PooledHandle } from './handle.ts'
import { KeyRetention } from './key-retention.ts'
import { runtimeLimits } from './limits.ts'
import { Lives } from './lives.ts'
import { OpenTurns } from './open-turns.ts'
import { Outbox } from './outbox.ts'
import { Ownership } from './ownership.ts'
import { Quarantines, quarantinedError } from './quarantines.ts'
import { Reminders } from './reminders.ts'
import { replay } from './replay.ts'
import { standardInterfaces } from './standard-interfaces.ts'
import { TypeRegistry } from './type-registry.ts'

/**
 * Opens a host on a store.
 *
 * @throws ERR_DATA_OWNED   a live host owns the store (data: pid, address).
 * @throws ERR_DATA_FOLDER  the store cannot be opened or created.
 * @throws ERR_OPTION       an option is missing or malformed.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { store: driver, blobs, takeOver = false } = options
  if (typeof driver?.open !== 'function')
    throw new LoomError('ERR_OPTION', 'store: expected a store such as lmdb(folder)')
  if (typeof blobs?.get !== 'function')
    throw new LoomError('ERR_OPTION', 'blobs: expected a blob store such as fsBlobs(folder)')
  if (![undefined, 'auto', 'unwind'].includes(options.awaiting))
    throw new LoomError('ERR_OPTION', `awaiting: expected auto or unwind, got ${options.awaiting}`)
  const limits = runtimeLimits(options.limits)
  if (options.journal !== undefined) checkJournalPolicy(options.journal)
  const clock = options.clock ?? systemClock
  const { random = systemRandom } = options
  const { payloadInlineMaxBytes: inlineMaxBytes } = limits
  const opened = await driver.open({ takeOver, wallMs: () => clock.wallMs() })
  const store = new PayloadStore(opened, { blobs, random, inlineMaxBytes })
  return new HostRuntime(options, store, limits, clock)
}

class HostRuntime implements Runtime {
  readonly lost: Promise<LoomError>
  readonly #store: PayloadStore
  readonly #limits: RuntimeLimits
  readonly #clock: Clock
  readonly #random: Random
  readonly #interfaces = standardInterfaces()
  readonly #stock = new InstanceStock(SPARE_INSTANCE_COUNT_MAX)
  readonly #types: TypeRegistry
  readonly #fetcher: Fetcher
  readonly #pool: Pool
  readonly #outbox: Outbox
  readonly #reminders: Reminders
  readonly #openTurns: OpenTurns
  readonly #quarantines: Quarantines
  readonly #deep: DeepReplays
  readonly #lives: Lives
  readonly #timeouts: CallTimeouts
  readonly #retention: KeyRetention
  readonly #blobs: BlobStore
  readonly #collection: BlobCollection
  readonly #ownership: Ownership
  readonly #handles = new WeakMap<Activation, ActorHandle>()
  #closing: Promise<void> | null = null

  constructor(options: RuntimeOptions, store: PayloadStore, limits: RuntimeLimits, clock: Clock) {
    const { blobs, fetch = {}, random = systemRandom, log = () => {} } = options
    this.#store = store
    this.#limits = limits
    this.#clock = clock
    this.#random = random
    this.#blobs = blobs
    this.#timeouts = new CallTimeouts(clock, random)
    const interfaces = this.#interfaces
    const parks = options.awaiting !== 'unwind'
    const resumes = options.resume !== false
    const stock = this.#stock
    const types = new TypeRegistry({ blobs, interfaces, checkImports: true, parks, stock, fetch })
    const fetcher = new Fetcher(options.http ?? nodeHttp(), clock)
    const pool: Pool = new Pool({
      ...limits,
      clock,
      activate: (key, onBroken) => activations.activate(key, onBroken),
      lift: (actor, onBroken) => activations.lift(actor, onBroken),
      snapshot: (actor) => activations.snapshot(actor),
      onSweep: () => stock.trim(),
    })
    const toLog = (level: LogLine['level']) => (message: string, actor: ActorKey) =>
      log({ level, message, actor })
    const home = { store, pool, clock }
    const outbox = new Outbox({ ...home, warn: toLog('error') })
    const reminders = new Reminders({ ...home, warn: toLog('warn') })
    const openTurns = new OpenTurns({ ...home, warn: toLog('error') })
    const quarantines = new Quarantines({ store, clock, warn: toLog('error') })
    const deep = new DeepReplays(blobs)
    const { promise: lost, resolve: lose } = deferred<LoomError>()
    const { parkedCountMax: countMax, parkedTimeoutMs: timeoutMs } = limits
    const activations: Activations = new Activations({
      ...home,
      random,
      limits,
      journal: options.journal ?? KEEP_ALL,
      development: options.development ?? false,
      resumes,
      log,
      types,
      parkedTurns: parks ? new ParkedTurns({ clock, countMax, timeoutMs }) : null,
      fetcher,
      calls: new ActorCalls(pool, clock),
      outbox,
      reminders,
      openTurns,
      quarantines,
      deep,
      lose,
    })
    this.lost = lost
    this.#types = types
    this.#fetcher = fetcher
    this.#pool = pool
    this.#outbox = outbox
    this.#reminders = reminders
    this.#openTurns = openTurns
    this.#quarantines = quarantines
    this.#deep = deep
    this.#lives = new Lives({ ...home, outbox })
    const { idempotencyRetentionMs: retentionMs } = limits
    const warn = (message: string): void => log({ level: 'warn', message })
    this.#retention = new KeyRetention({ store, clock, retentionMs, warn })
    this.#collection = new BlobCollection({ store, log })
    this.#ownership = new Ownership({ store, clock, lose })
    this.#ownership.watch()
    this.#start(resumes)
  }

  #start(resumes: boolean): void {
    // Types may still have to be registered: what cannot be delivered yet is tried again.
    setImmediate(() => {
      ignoreOutcome(this.#outbox.start())
      this.#reminders.start()
      if (resumes) ignoreOutcome(this.#openTurns.start())
      ignoreOutcome(this.#collection.start())
    })
  }

  get epoch(): number {
    return this.#store.epoch
  }

  registerActorType(name: string, definition: ActorTypeDefinition): Promise<void> {
    return this.#types.register(name, definition)
  }

  provide(interfaceName: string, functions: ProvidedInterface): void {
    if (this.#interfaces.has(interfaceName))
      throw new LoomError('ERR_OPTION', `interface ${interfaceName} is provided already`)
    this.#interfaces.add(interfaceName, providedInterface(interfaceName, functions))
  }

  actorTypes(): Promise<readonly ActorTypeDescription[]> {
    return this.#types.describe()
  }

  getActor(actorId: string, actorType: string): Promise<ActorHandle>
  getActor<Methods>(actorId: string, actorType: string): Promise<TypedActorHandle<Methods>>
  async getActor(actorId: string, actorType: string): Promise<ActorHandle> {
    const key = this.#checkedKey(actorId, actorType)
    const activation = await this.#pool.acquire(key)
    let handle = this.#handles.get(activation)
    if (handle === undefined) {
      handle = this.#handleOf(key)
      this.#handles.set(activation, handle)
    }
    return handle
  }

  async routeMessage(message: Message): Promise<WitValue> {
    const { actorId, actorType, payload, idempotencyKey } = message
    const key = this.#checkedKey(actorId, actorType)
    return this.#handleOf(key).route(payload, idempotencyKey)
  }

  async executeJson(actorId: string, actorType: string, request: JsonRequest): Promise<JsonValue> {
    return this.#handleOf(this.#checkedKey(actorId, actorType)).executeJson(request)
  }

  #handleOf(key: ActorKey): PooledHandle {
    const [pool, clock, timeouts] = [this.#pool, this.#clock, this.#timeouts]
    return new PooledHandle({ pool, clock, timeouts, key })
  }

  async describeActor(actorId: string, actorType: string): Promise<ActorDescription> {
    const key = this.#checkedKey(actorId, actorType)
    const quarantine = await this.#quarantines.find(key)
    if (quarantine !== null) return this.#describeQuarantined(quarantine)
    const tier = this.#pool.tierOf(key)
    return await this.#pool.use(key, async (activation) => {
      if (activation.record === null) {
        await this.#pool.evict(key)
        throw new LoomError('ERR_ACTOR_UNKNOWN', `${formatActorKey(key)} has no journal`)
      }
      const { seqNext, seqFirst, stateHash } = await activation.observe()
      const resident = tier === 'hot'
      return { ...activation.record, seqNext, seqFirst, resident, tier, stateHash, quarantine }
    })
  }

  async #describeQuarantined(quarantine: QuarantineRow): Promise<ActorDescription> {
    const { record, seqNext, seqFirst } = await this.#store.openLog(quarantine.key)
    if (record === null) throw quarantinedError(quarantine)
    const facts = { resident: false, tier: 'cold', stateHash: '', quarantine } as const
    return { ...record, seqNext, seqFirst, ...facts }
  }

  async reminders(actorId: string, actorType: string): Promise<readonly ReminderDescription[]> {
    const { reminders } = await this.getActor(actorId, actorType)
    return reminders.list()
  }

  actors(type?: string): AsyncIterable<ActorSummary> {
    return this.#store.actors(type)
  }

  stats(): RuntimeStats {
    const { count: blobsCollected } = this.#collection
    return { ...this.#pool.counts, spareInstances: this.#stock.count, blobsCollected }
  }

  residentCounts(): readonly { readonly type: string; readonly count: number }[] {
    const counts = this.#pool.countsByType()
    for (const type of this.#types.registered) counts.set(type, counts.get(type) ?? 0)
    const types = [...counts.keys()].sort()
    return types.map((type) => ({ type, count: counts.get(type) ?? 0 }))
  }

  quarantined(): AsyncIterable<QuarantineRow> {
    return this.#quarantines.list()
  }

  async release(actorId: string, actorType: string): Promise<boolean> {
    const key = this.#checkedKey(actorId, actorType)
    if ((await this.#quarantines.find(key)) === null) return false
    // An import has the actor until it is whole: its mark is not anybody's to take away.
    let released = false
    await this.#pool.vacate(key, async () => {
      released = await this.#quarantines.release(key)
    })
    return released
  }

  async deactivate(actorId: string, actorType: string): Promise<boolean> {
    return this.#lives.deactivate(this.#checkedKey(actorId, actorType))
  }

  async deleteActor(actorId: string, actorType: string): Promise<void> {
    await this.#lives.delete(this.#checkedKey(actorId, actorType))
  }

  async importActor(file: Uint8Array, as?: ActorKey): Promise<ActorKey> {
    const actor = parseExport(file)
    const { type, id } = as ?? actor.record
    const key = this.#checkedKey(id, type)
    const home: ImportHome = {
      store: this.#store,
      blobs: this.#blobs,
      nowMs: () => this.#clock.wallMs(),
      newIncarnation: () => this.#random.id(),
      verify: async (imported) => {
        await replay({ store: this.#store, types: this.#types, deep: this.#deep }, imported)
      },
    }
    await this.#pool.vacate(key, () => importActor(home, key, actor))
    this.#reminders.changed(key, actor.reminders)
    return key
  }

  announce(address: string): Promise<void> {
    return this.#store.announce(address)
  }

  close({ timeoutMs = this.#limits.closeTimeoutMs }: CloseOptions = {}): Promise<void> {
    this.#ownership.close()
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    // What is waited for may be a promise of the embedder: nothing else may keep the process alive.
    const alive = this.#clock.stayAlive()
    try {
      this.#outbox.close()
      this.#reminders.close()
      this.#openTurns.close()
      await this.#pool.close(timeoutMs)
      this.#fetcher.close()
      this.#collection.close()
      await this.#retention.close()
      await this.#store.close()
    } finally {
      alive.cancel()
    }
  }

  #checkedKey(id: string, type: string): ActorKey {
    checkTypeName(type)
    checkActorId(id)
    if (this.#closing !== null)
      throw new LoomError('ERR_CLOSING', `${type}/${id}: the host is shutting down`)
    return { type, id }
  }
}
