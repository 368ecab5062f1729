// A Runtime without an engine: one TypeScript-like type `Counter`, so that edges are tested alone.
import { LoomError } from '../../host/base/errors.ts'
import { formatActorKey } from '../../host/base/names.ts'
import type {
  ActorDescription,
  ActorHandle,
  ActorSummary,
  JsonRequest,
  JsonValue,
  QuarantineRow,
  Runtime,
  RuntimeStats,
} from '../../host/runtime/api.ts'

export interface StubCall extends JsonRequest {
  readonly type: string
  readonly id: string
}

export class StubRuntime implements Runtime {
  readonly epoch = 7
  readonly lost: Promise<LoomError>
  /** Ends the host's claim, as a take-over does. */
  lose: (error: LoomError) => void = () => {}
  readonly calls: StubCall[] = []
  readonly summaries: ActorSummary[] = []
  readonly quarantines: QuarantineRow[] = []
  /** What a call does beyond being recorded. */
  respond: (call: StubCall) => Promise<JsonValue> | JsonValue = () => null
  closed = false

  constructor() {
    this.lost = new Promise((resolve) => {
      this.lose = resolve
    })
  }

  async registerActorType(): Promise<void> {}
  provide(): void {}
  async actorTypes(): Promise<[]> {
    return []
  }

  async getActor(id: string, type: string): Promise<ActorHandle> {
    if (type !== 'Counter')
      throw new LoomError('ERR_TYPE_UNKNOWN', `actor type ${JSON.stringify(type)} is not known`)
    const executeJson = (request: JsonRequest) => this.executeJson(id, type, request)
    const unused = () => Promise.reject(new Error('not in the stub'))
    const reminders = { set: unused, cancel: unused, list: unused }
    const timers = { set: unused, cancel: unused, list: unused }
    const named = { actorId: id, actorType: type, reminders, timers }
    return { ...named, call: unused, execute: unused, executeJson }
  }

  async executeJson(id: string, type: string, request: JsonRequest): Promise<JsonValue> {
    if (type !== 'Counter')
      throw new LoomError('ERR_TYPE_UNKNOWN', `actor type ${JSON.stringify(type)} is not known`)
    const call = { ...request, type, id }
    this.calls.push(call)
    return await this.respond(call)
  }

  async routeMessage(): Promise<never> {
    throw new Error('not in the stub')
  }

  async describeActor(id: string, type: string): Promise<ActorDescription> {
    const summary = this.summaries.find((actor) => actor.id === id && actor.type === type)
    if (summary === undefined)
      throw new LoomError('ERR_ACTOR_UNKNOWN', `actor ${formatActorKey({ type, id })}: no journal`)
    const facts = { resident: false, tier: 'cold', stateHash: `sha256:${'0'.repeat(64)}` } as const
    return { ...summary, ...facts, quarantine: null }
  }

  async *actors(type?: string): AsyncIterable<ActorSummary> {
    for (const actor of this.summaries) if (type === undefined || actor.type === type) yield actor
  }

  stats(): RuntimeStats {
    return { hot: 0, warm: 0, warmSizeBytes: 0, blobsCollected: 0, spareInstances: 0 }
  }

  residentCounts(): [] {
    return []
  }

  async reminders(): Promise<[]> {
    return []
  }

  async *quarantined(): AsyncIterable<QuarantineRow> {
    yield* this.quarantines
  }

  async release(id: string, type: string): Promise<boolean> {
    const at = this.quarantines.findIndex(({ key }) => key.id === id && key.type === type)
    if (at >= 0) this.quarantines.splice(at, 1)
    return at >= 0
  }

  async deactivate(): Promise<boolean> {
    return false
  }

  async deleteActor(id: string, type: string): Promise<void> {
    const at = this.summaries.findIndex((actor) => actor.id === id && actor.type === type)
    if (at < 0)
      throw new LoomError('ERR_ACTOR_UNKNOWN', `actor ${formatActorKey({ type, id })}: no journal`)
    this.summaries.splice(at, 1)
  }

  async importActor(): Promise<never> {
    throw new Error('not in the stub')
  }

  async announce(): Promise<void> {}
  async close(): Promise<void> {
    this.closed = true
  }
}

export function summary(type: string, id: string): ActorSummary {
  return {
    type,
    id,
    incarnation: 'f'.repeat(32),
    digest: `sha256:${'1'.repeat(64)}`,
    createdAtMs: 0,
    seqNext: 1,
    seqFirst: 1,
  }
}
