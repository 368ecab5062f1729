/**
 * createRuntime: the composition root. Opens the store, and joins types, pool and host interfaces.
 *
 * Owns: which parts make a host. Does not own: any of their work.
 */
import { Activation } from '../actor/activation/activation.ts'
import type { ActivationOptions } from '../actor/activation/activation-options.ts'
import { type WarmActor, writeWarmSnapshot } from '../actor/activation/warm-actor.ts'
import {
  checkJournalPolicy,
  type JournalPolicy,
  KEEP_ALL,
} from '../actor/journal/journal-retention.ts'
import { InstanceStock } from '../actor/program/instance-stock.ts'
import { ParkedTurns } from '../actor/turn/parked-turns.ts'
import { type Clock, systemClock, type Timer } from '../base/clock.ts'
import { LoomError, toLoomError } from '../base/errors.ts'
import { SPARE_INSTANCE_COUNT_MAX } from '../base/limits.ts'
import { type ActorKey, checkActorId, checkTypeName, formatActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'
import { type Random, systemRandom } from '../base/random.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { WitValue } from '../component/wit/wit.ts'
import { answerClient } from '../hostcalls/actor-clients.ts'
import { Fetcher } from '../hostcalls/fetch.ts'
import { HostInterfaces } from '../hostcalls/host-interface.ts'
import { serveLoomActor } from '../hostcalls/loom-actor.ts'
import { serveLoomHttp } from '../hostcalls/loom-http.ts'
import { providedInterface } from '../hostcalls/provided.ts'
import { serveWasi } from '../hostcalls/wasi.ts'
import { nodeHttp } from '../http/node/node-http.ts'
import { PayloadStore } from '../journal/payload-store.ts'
import { Pool } from '../pool/pool.ts'
import type { ActorSummary, QuarantineRow } from '../store/store.ts'
import { ActorCalls } from './actor-calls.ts'
import { type ImportHome, importActor, parseExport } from './actor-import.ts'
import type {
  ActorDescription,
  ActorHandle,
  ActorTypeDefinition,
  ActorTypeDescription,
  CloseOptions,
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
import { PooledHandle } from './handle.ts'
import { KeyRetention } from './key-retention.ts'
import { runtimeLimits } from './limits.ts'
import { Lives } from './lives.ts'
import { OpenTurns } from './open-turns.ts'
import { Outbox } from './outbox.ts'
import { Quarantines, quarantinedError } from './quarantines.ts'
import { Reminders } from './reminders.ts'
import { replay } from './replay.ts'
import { TypeRegistry } from './type-registry.ts'

/** How often a host looks whether it still owns its store, besides at every commit. */
const OWNERSHIP_CHECK_MS = 3_000

/** The interfaces that every host serves. */
export function standardInterfaces(): HostInterfaces {
  const interfaces = new HostInterfaces()
  serveLoomActor(interfaces)
  serveLoomHttp(interfaces)
  serveWasi(interfaces)
  interfaces.addRule(answerClient)
  return interfaces
}

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
  readonly #log: (line: LogLine) => void
  readonly #interfaces = standardInterfaces()
  readonly #stock = new InstanceStock(SPARE_INSTANCE_COUNT_MAX)
  readonly #types: TypeRegistry
  readonly #fetcher: Fetcher
  readonly #parkedTurns: ParkedTurns | null
  readonly #pool: Pool
  readonly #calls: ActorCalls
  readonly #outbox: Outbox
  readonly #development: boolean
  /** Open turns go on by themselves. */
  readonly #resumes: boolean
  readonly #reminders: Reminders
  readonly #openTurns: OpenTurns
  readonly #quarantines: Quarantines
  readonly #lives: Lives
  readonly #timeouts: CallTimeouts
  readonly #retention: KeyRetention
  readonly #journal: JournalPolicy
  readonly #blobs: BlobStore
  readonly #collection: BlobCollection
  /** Actors whose last activation broke with loose ends. */
  readonly #unsure = new Set<string>()
  readonly #handles = new WeakMap<Activation, ActorHandle>()
  readonly #lose: (error: LoomError) => void
  #closing: Promise<void> | null = null
  #ownershipTimer: Timer | null = null

  constructor(options: RuntimeOptions, store: PayloadStore, limits: RuntimeLimits, clock: Clock) {
    this.#store = store
    this.#limits = limits
    this.#development = options.development ?? false
    this.#resumes = options.resume !== false
    this.#clock = clock
    this.#random = options.random ?? systemRandom
    this.#timeouts = new CallTimeouts(this.#clock, this.#random)
    this.#blobs = options.blobs
    this.#journal = options.journal ?? KEEP_ALL
    this.#log = options.log ?? (() => {})
    const interfaces = this.#interfaces
    const parks = options.awaiting !== 'unwind'
    const stock = this.#stock
    const blobs = options.blobs
    const { fetch = {} } = options
    this.#types = new TypeRegistry({ blobs, interfaces, checkImports: true, parks, stock, fetch })
    this.#fetcher = new Fetcher(options.http ?? nodeHttp(), clock)
    const { parkedCountMax, parkedTimeoutMs } = limits
    this.#parkedTurns = parks
      ? new ParkedTurns({ clock, countMax: parkedCountMax, timeoutMs: parkedTimeoutMs })
      : null
    this.#pool = new Pool({
      ...limits,
      clock,
      activate: (key, onBroken) => this.#activate(key, onBroken),
      lift: (actor, onBroken) => this.#lift(actor, onBroken),
      snapshot: (actor) => this.#snapshot(actor),
      onSweep: () => stock.trim(),
    })
    this.#calls = new ActorCalls(this.#pool, clock)
    const log = (level: LogLine['level']) => (message: string, actor: ActorKey) =>
      this.#log({ level, message, actor })
    const home = { store, pool: this.#pool, clock }
    this.#outbox = new Outbox({ ...home, warn: log('error') })
    this.#reminders = new Reminders({ ...home, warn: log('warn') })
    this.#openTurns = new OpenTurns({ ...home, warn: log('error') })
    this.#lives = new Lives(home)
    this.#retention = new KeyRetention({
      store,
      clock,
      retentionMs: limits.idempotencyRetentionMs,
      warn: (message) => this.#log({ level: 'warn', message }),
    })
    this.#collection = new BlobCollection({ store, log: this.#log })
    this.#quarantines = new Quarantines({ store, clock, warn: log('error') })
    const lost = deferred<LoomError>()
    this.lost = lost.promise
    this.#lose = lost.resolve
    this.#watchOwnership()
    // Types may still have to be registered: what cannot be delivered yet is tried again.
    setImmediate(() => {
      ignoreOutcome(this.#outbox.start())
      this.#reminders.start()
      if (this.#resumes) ignoreOutcome(this.#openTurns.start())
      ignoreOutcome(this.#collection.start())
    })
  }

  /** A host that takes no calls makes no commits: without this it would not learn that it was displaced. */
  #watchOwnership(): void {
    this.#ownershipTimer = this.#clock.after(OWNERSHIP_CHECK_MS, () => {
      const goOn = (owned: boolean): void => {
        if (owned && this.#closing === null) this.#watchOwnership()
      }
      this.#checkOwnership().then(goOn, () => goOn(true))
    })
  }

  async #checkOwnership(): Promise<boolean> {
    const host = await this.#store.readHost()
    if (host === null || host.epoch <= this.epoch) return true
    const message = `epoch ${this.epoch} is over: process ${host.pid} (epoch ${host.epoch}) has taken over`
    this.#lose(new LoomError('ERR_FENCED', message, { data: { pid: host.pid } }))
    return false
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

  quarantined(): AsyncIterable<QuarantineRow> {
    return this.#quarantines.list()
  }

  async release(actorId: string, actorType: string): Promise<boolean> {
    return this.#quarantines.release(this.#checkedKey(actorId, actorType))
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
      verify: async (imported) => {
        await replay(this.#store, this.#types, imported)
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
    this.#ownershipTimer?.cancel()
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

  async #activate(key: ActorKey, onBroken: () => void): Promise<Activation> {
    try {
      return await this.#open(key, onBroken)
    } catch (error) {
      const failure = toLoomError(error)
      await this.#quarantines.note(key, failure)
      throw failure
    }
  }

  async #open(key: ActorKey, onBroken: () => void): Promise<Activation> {
    await this.#quarantines.refuse(key)
    const log = await this.#store.openLog(key)
    await this.#takeUp(key)
    const { record } = log
    const program = await (record === null
      ? this.#types.current(key.type)
      : this.#types.pinned(record))
    return await Activation.open(this.#activationOptions({ log, program, record }, onBroken))
  }

  /** Its last commits were reported as failed, and may be durable: what they ask for goes on without a call. */
  #takeUpLater(key: ActorKey): void {
    this.#unsure.add(formatActorKey(key))
    if (this.#resumes) this.#openTurns.add(key)
  }

  /** Ahead of whatever the new activation sends. */
  async #takeUp(key: ActorKey): Promise<void> {
    if (!this.#unsure.has(formatActorKey(key))) return
    await this.#outbox.takeUp(key)
    this.#reminders.start()
    this.#unsure.delete(formatActorKey(key))
  }

  #lift(actor: WarmActor, onBroken: () => void): Activation {
    return Activation.lift(this.#activationOptions(actor, onBroken), actor)
  }

  #activationOptions(
    { log, program, record }: Pick<ActivationOptions, 'log' | 'program' | 'record'>,
    onBroken: () => void,
  ): ActivationOptions {
    const { key } = log
    return {
      log,
      program,
      record,
      environment: {
        key,
        incarnation: record?.incarnation ?? this.#random.id(),
        clock: this.#clock,
        random: this.#random,
        parkedTurns: this.#parkedTurns,
        log: (level, message) =>
          this.#log({ level: level as LogLine['level'], message, actor: key }),
        ports: null,
        development: this.#development,
      },
      fetch: (request, idempotencyKey) =>
        this.#fetcher.fetch(
          { actorType: key.type, gate: this.#types.fetchGate(key.type), idempotencyKey },
          request,
        ),
      callActor: (caller, call, callId, isNew) => this.#calls.call(caller, call, callId, isNew),
      onSent: (messages) => this.#outbox.add(messages),
      onReminders: (changes) => this.#reminders.changed(key, changes),
      queries: this.#types.queriesOf(key.type),
      onTick: () => this.#pool.peek(formatActorKey(key)),
      epoch: this.#store.epoch,
      mailboxCountMax: this.#limits.mailboxCountMax,
      mailboxBytesMax: this.#limits.mailboxBytesMax,
      snapshotIntervalTurns: this.#limits.snapshotIntervalTurns,
      snapshotIntervalBytes: this.#limits.snapshotIntervalBytes,
      snapshotIntervalMs: this.#limits.snapshotIntervalMs,
      journal: this.#types.journal(key.type) ?? this.#journal,
      onBroken: (error, looseEnds) => {
        onBroken()
        if (looseEnds) this.#takeUpLater(key)
        ignoreOutcome(this.#quarantines.note(key, error))
        if (error.code === 'ERR_FENCED') this.#lose(error)
      },
    }
  }

  /** Without its snapshot a warm actor loses nothing: recovery replays more. A fenced host learns it here too. */
  async #snapshot(actor: WarmActor): Promise<void> {
    try {
      await writeWarmSnapshot(actor, this.#store.epoch)
    } catch (error) {
      const message = `no snapshot at ${actor.seqNext}: ${String(error)}`
      this.#log({ level: 'warn', message, actor: actor.log.key })
    }
  }
}
