/**
 * `loom delete`: ends an actor's life.
 */
import type { Command } from 'commander'
import { parseActorKey } from '../../base/names.ts'
import { actOnFolder } from '../acting.ts'
import { actorPath, askHost } from '../live-host.ts'
import { addActorCommand, type DataOptions, type JsonOptions } from '../options.ts'
import { print, printJson } from '../output.ts'

export function addDeleteCommand(program: Command): void {
  addActorCommand(
    program,
    'delete',
    'delete an actor with its journal and state; a later call begins a new life',
    deleteActor,
  )
}

async function deleteActor(actor: string, options: DataOptions & JsonOptions): Promise<void> {
  const key = parseActorKey(actor)
  await actOnFolder<unknown>(
    { data: options.data, provided: {} },
    (host) => askHost(host, 'DELETE', actorPath(key)),
    (runtime) => runtime.deleteActor(key.id, key.type),
  )
  if (options.json === true) printJson({ deleted: true })
  else print(`deleted ${actor}`)
}
