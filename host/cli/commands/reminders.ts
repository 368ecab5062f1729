/**
 * `loom reminders`: the reminders of an actor.
 */
import type { Command } from 'commander'
import { parseActorKey } from '../../base/names.ts'
import { withInspector } from '../data-folder.ts'
import { addActorCommand, type DataOptions, type JsonOptions } from '../options.ts'
import { colors, note, print, printJson } from '../output.ts'

export function addRemindersCommand(program: Command): void {
  addActorCommand(program, 'reminders', 'list the reminders of an actor', listReminders)
}

async function listReminders(actor: string, options: DataOptions & JsonOptions): Promise<void> {
  const key = parseActorKey(actor)
  await withInspector(options.data, async (inspector) => {
    const reminders = await inspector.reminders(key)
    for (const reminder of reminders) {
      const { name, dueAtMs, period, ttl } = reminder
      if (options.json === true) {
        const { data, ...rest } = reminder
        printJson({ ...rest, data: data instanceof Uint8Array ? [...data] : data })
      } else {
        const every = period === undefined ? 'once' : `every ${period}`
        const until = ttl === undefined ? '' : `, ttl ${ttl}`
        print(`${name}  ${colors.dim(`due ${new Date(dueAtMs).toISOString()}, ${every}${until}`)}`)
      }
    }
    if (reminders.length === 0 && options.json !== true) note('no reminders')
  })
}
