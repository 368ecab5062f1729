/**
 * `loom quarantine`: actors whose journal is damaged or diverges.
 */
import type { Command } from 'commander'
import { type ActorKey, formatActorKey, parseActorKey } from '../../base/names.ts'
import type { QuarantineRow } from '../../runtime/api.ts'
import { actOnFolder } from '../acting.ts'
import { withInspector } from '../data-folder.ts'
import { askHost } from '../live-host.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { colors, note, print, printJson } from '../output.ts'

export function addQuarantineCommand(program: Command): void {
  const group = program
    .command('quarantine')
    .description('actors that take no turns because their journal is damaged or diverges')
  const list = group
    .command('list')
    .description('list quarantined actors, and why')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(listQuarantined)
  addExample(list, 'loom quarantine list')
  const release = group
    .command('release')
    .description('let the next call of an actor try again')
    .argument('<actor>', 'TYPE/ID')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(releaseActor)
  addExample(release, 'loom quarantine release Counter/c1')
}

async function listQuarantined(options: DataOptions & JsonOptions): Promise<void> {
  await withInspector(options.data, async (inspector) => {
    let count = 0
    for await (const row of inspector.quarantined()) {
      count++
      if (options.json === true) printJson(row)
      else print(formatRow(row))
    }
    if (count === 0 && options.json !== true) note('no quarantined actors')
  })
}

function formatRow({ key, atMs, code, message }: QuarantineRow): string {
  const at = colors.dim(new Date(atMs).toISOString())
  return `${formatActorKey(key)}  ${at}  ${code}: ${message}`
}

async function releaseActor(actor: string, options: DataOptions & JsonOptions): Promise<void> {
  const key = parseActorKey(actor)
  const released = await actOnFolder(
    { data: options.data, provided: {} },
    async (host) => (await askHost(host, 'DELETE', quarantinePath(key))) as Released,
    async (runtime) => ({ released: await runtime.release(key.id, key.type) }),
  )
  if (options.json === true) printJson(released)
  else print(released.released ? `released ${actor}` : `${actor} is not quarantined`)
}

interface Released {
  readonly released: boolean
}

const quarantinePath = ({ type, id }: ActorKey): string =>
  `/v1.0/quarantine/${type}/${encodeURIComponent(id)}`
