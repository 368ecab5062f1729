/**
 * `loom inspect`: what an actor is, and the hash of its state.
 *
 * Beside a live host that host answers; otherwise the state is computed by a replay, which also shows that
 * the journal still leads to it.
 */
import type { Command } from 'commander'
import { type ActorKey, parseActorKey } from '../../base/names.ts'
import type { ActorDescription, Inspector } from '../../runtime/api.ts'
import { withInspector } from '../data-folder.ts'
import { describeThroughHost, findLiveHost } from '../live-host.ts'
import { addActorCommand, type DataOptions, type JsonOptions } from '../options.ts'
import { print, printJson } from '../output.ts'
import { withProgress } from '../progress.ts'

export function addInspectCommand(program: Command): void {
  addActorCommand(program, 'inspect', 'describe an actor and its state', inspect)
}

async function inspect(actor: string, options: DataOptions & JsonOptions): Promise<void> {
  const key = parseActorKey(actor)
  const json = options.json === true
  const description = await withInspector(options.data, (inspector) =>
    withProgress(`inspecting ${actor}`, json, () => describe(inspector, key)),
  )
  if (json) {
    printJson(description)
    return
  }
  const facts: readonly (readonly [string, string])[] = [
    ['actor', actor],
    ['digest', description.digest],
    ['incarnation', description.incarnation],
    ['created', new Date(description.createdAtMs).toISOString()],
    ['entries', String(description.seqNext)],
    ['resident', description.resident ? 'yes' : `no (${description.tier})`],
    ['state', description.quarantine === null ? description.stateHash : 'unknown: quarantined'],
  ]
  for (const [name, value] of facts) print(`${name.padEnd(12)}${value}`)
  const { quarantine } = description
  if (quarantine !== null) print(`quarantined ${quarantine.code}: ${quarantine.message}`)
}

async function describe(inspector: Inspector, key: ActorKey): Promise<ActorDescription> {
  const host = await findLiveHost(await inspector.host())
  if (host !== null) return await describeThroughHost(host, key)
  const facts = { ...(await inspector.find(key)), resident: false, tier: 'cold' } as const
  if (facts.quarantine !== null) return { ...facts, stateHash: '' }
  const { seqNext, seqFirst, stateHash } = await inspector.replay(key)
  return { ...facts, seqNext, seqFirst, stateHash }
}
