/**
 * Type registry: from an actor type's name to the program that its actors run.
 *
 * Owns: registered types, loaded components, the lookup of pushed types in the blob store.
 * Does not own: what a program does (actor/), the bytes (blob/).
 *
 * Invariants:
 *   G1. A new actor runs what its type names now; an existing one what its journal is pinned to.
 *   G2. A component is loaded once per digest, however many types and actors share it.
 *   G4. Limits belong to the type's name, not to the component; an actor has those of its type now.
 *   G3. A failed load is not remembered: a blob that is repaired loads at the next call.
 */

import { checkJournalPolicy, type JournalPolicy } from '../actor/journal/journal-retention.ts'
import type { InstanceStock } from '../actor/program/instance-stock.ts'
import type { ActorProgram } from '../actor/program/program.ts'
import {
  type ActorLimits,
  type WasmActorProgram,
  wasmProgram,
} from '../actor/program/wasm-program.ts'
import { typescriptProgram } from '../actor/typescript/typescript-program.ts'
import { checkDigest, type Digest, digestOf } from '../base/digest.ts'
import { isLoomError, LoomError } from '../base/errors.ts'
import { checkTypeName, formatActorKey } from '../base/names.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { type FetchGate, type FetchPolicy, fetchGate, NO_FETCH } from '../hostcalls/fetch-policy.ts'
import type { HostInterfaces } from '../hostcalls/host-interface.ts'
import type { ActorRecord } from '../store/store.ts'
import type { ActorTypeDefinition, ActorTypeDescription } from './api.ts'
import { checkGuestLimits } from './limits.ts'

export interface TypeRegistryOptions {
  readonly blobs: BlobStore
  readonly interfaces: HostInterfaces
  /** False where actors are only replayed: what a component imports need not be served. */
  readonly checkImports: boolean
  /** Guests that wait may be parked (actor/program/wasm-program.ts). */
  readonly parks: boolean
  /** Of types whose definition does not say. */
  readonly fetch?: Readonly<Record<string, FetchPolicy>>
  /** Instances that wait for their next actor; where there is none, each actor gets a fresh one. */
  readonly stock?: InstanceStock
}

const NO_QUERIES: ReadonlySet<string> = new Set()

/** Names of pushed types in the blob store. */
export const TYPE_NAME_PREFIX = 'types/'

export class TypeRegistry {
  readonly #options: TypeRegistryOptions
  readonly #registered = new Map<string, Promise<ActorProgram>>()
  readonly #components = new Map<Digest, Promise<WasmActorProgram>>()
  /** Limits of registered types by name, and the programs under them by digest and limits (G4). */
  readonly #limits = new Map<string, Partial<ActorLimits>>()
  readonly #journals = new Map<string, JournalPolicy>()
  readonly #gates = new Map<string, FetchGate>()
  readonly #queries = new Map<string, ReadonlySet<string>>()
  readonly #limited = new Map<string, ActorProgram>()

  constructor(options: TypeRegistryOptions) {
    this.#options = options
    for (const [name, policy] of Object.entries(options.fetch ?? {})) {
      checkTypeName(name)
      this.#gates.set(name, fetchGate(policy))
    }
  }

  /** @throws ERR_NAME, ERR_TYPE_REGISTERED, and what loading throws. */
  async register(name: string, definition: ActorTypeDefinition): Promise<void> {
    checkTypeName(name)
    if (this.#registered.has(name))
      throw new LoomError('ERR_TYPE_REGISTERED', `actor type ${name} is registered already`)
    const { journal, fetch } = definition
    const gate = fetch === undefined ? null : fetchGate(fetch)
    if (journal !== undefined) checkJournalPolicy(journal)
    const program = this.#define(name, definition)
    this.#registered.set(name, program)
    if (journal !== undefined) this.#journals.set(name, journal)
    const former = this.#gates.get(name)
    if (gate !== null) this.#gates.set(name, gate)
    try {
      await program
    } catch (error) {
      this.#registered.delete(name)
      this.#limits.delete(name)
      this.#journals.delete(name)
      if (former === undefined) this.#gates.delete(name)
      else this.#gates.set(name, former)
      throw error
    }
  }

  async #define(name: string, definition: ActorTypeDefinition): Promise<ActorProgram> {
    const program = await this.#programOf(name, definition)
    const own = definition.type === 'typescript' ? (definition.actorClass.queries ?? []) : []
    const queries = [...(definition.queries ?? []), ...own].map((method) => {
      const found = program.findMethod(method)
      if (found !== undefined) return found.name
      throw new LoomError('ERR_METHOD_UNKNOWN', `queries: ${name} has no method ${method}`)
    })
    this.#queries.set(name, new Set(queries))
    return program
  }

  /** Names of the methods of a type that are queries. */
  queriesOf(name: string): ReadonlySet<string> {
    return this.#queries.get(name) ?? NO_QUERIES
  }

  async #programOf(name: string, definition: ActorTypeDefinition): Promise<ActorProgram> {
    if (definition.type === 'typescript') return typescriptProgram(definition.actorClass)
    if (definition.type !== 'wasm')
      throw new LoomError('ERR_OPTION', 'type: expected "wasm" or "typescript"')
    const { limits = {} } = definition
    checkGuestLimits(limits)
    this.#limits.set(name, limits)
    const digest =
      'component' in definition
        ? await this.#store(definition.component, limits)
        : await this.#options.blobs.resolve(definition.blobPath)
    return this.#program(name, digest)
  }

  /** Bytes are kept only when they load: actors will be pinned to them. */
  async #store(component: Uint8Array, limits: Partial<ActorLimits>): Promise<Digest> {
    const digest = digestOf(component)
    const program = await (this.#components.get(digest) ?? this.#load(digest, component))
    program.withLimits(limits)
    return this.#options.blobs.put(component)
  }

  /** What is kept of journals, if the type says. */
  journal(name: string): JournalPolicy | undefined {
    return this.#journals.get(name)
  }

  /** Where actors of a type may send HTTP requests. */
  fetchGate(name: string): FetchGate {
    return this.#gates.get(name) ?? NO_FETCH
  }

  /** What a new actor of type `name` runs (G1). @throws ERR_TYPE_UNKNOWN */
  async current(name: string): Promise<ActorProgram> {
    const registered = this.#registered.get(name)
    if (registered !== undefined) return registered
    let digest: Digest
    try {
      digest = await this.#options.blobs.resolve(TYPE_NAME_PREFIX + name)
    } catch (error) {
      if (!isLoomError(error) || error.code !== 'ERR_BLOB_UNKNOWN') throw error
      throw new LoomError('ERR_TYPE_UNKNOWN', `no actor type is named ${name}`, { cause: error })
    }
    return this.#program(name, digest)
  }

  /** What an existing actor runs (G1). @throws ERR_TYPE_UNKNOWN, ERR_BLOB_UNKNOWN, ERR_BLOB_CORRUPT */
  async pinned(record: ActorRecord): Promise<ActorProgram> {
    if (record.digest !== 'typescript') {
      checkDigest(record.digest)
      return this.#program(record.type, record.digest)
    }
    const program = await this.#registered.get(record.type)
    if (program?.type === 'typescript') return program
    throw new LoomError(
      'ERR_TYPE_UNKNOWN',
      `${formatActorKey(record)} is a TypeScript actor: register its class as ${record.type} first`,
    )
  }

  /** The component under the limits of the type (G4); where actors are only replayed, none hold. */
  async #program(name: string, digest: Digest): Promise<ActorProgram> {
    const component = await (this.#components.get(digest) ?? this.#load(digest))
    if (!this.#options.checkImports) return component
    const limits = this.#limits.get(name) ?? {}
    const key = `${digest} ${JSON.stringify(limits)}`
    let program = this.#limited.get(key)
    if (program === undefined) {
      program = component.withLimits(limits)
      this.#limited.set(key, program)
    }
    return program
  }

  #load(digest: Digest, given?: Uint8Array): Promise<WasmActorProgram> {
    const { blobs, ...rest } = this.#options
    const load = async (): Promise<WasmActorProgram> =>
      wasmProgram({ bytes: given ?? (await blobs.get(digest)), digest, ...rest })
    const loading = load()
    this.#components.set(digest, loading)
    loading.catch(() => this.#components.delete(digest))
    return loading
  }

  /** Registered types and types in the blob store, by name. */
  /** Names of types that the embedder has registered. */
  get registered(): Iterable<string> {
    return this.#registered.keys()
  }

  async describe(): Promise<readonly ActorTypeDescription[]> {
    const pushed = await this.#options.blobs.names(TYPE_NAME_PREFIX)
    const names = new Set([
      ...this.#registered.keys(),
      ...pushed.map(({ name }) => name.slice(TYPE_NAME_PREFIX.length)),
    ])
    return Promise.all([...names].sort().map((name) => this.#describeOne(name)))
  }

  async #describeOne(name: string): Promise<ActorTypeDescription> {
    const { type, digest, methods } = await this.current(name)
    return {
      name,
      type,
      digest: type === 'wasm' ? (digest as Digest) : null,
      methods: methods.map(({ name: method, signature }) => ({ name: method, signature })),
    }
  }
}
