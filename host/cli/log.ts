/**
 * Log lines of guests and of the host on stderr.
 */
import { formatActorKey } from '../base/names.ts'
import type { LogLine } from '../runtime/api.ts'
import { note, toJson } from './output.ts'

/** @param json one JSON object per line instead of `info Counter/c1 #12: message`. */
export function logToStderr(json: boolean): (line: LogLine) => void {
  return (line) => note(json ? toJson(line) : formatLogLine(line))
}

function formatLogLine({ level, message, actor, seq }: LogLine): string {
  const turn = seq === undefined ? '' : ` #${seq}`
  const source = actor === undefined ? 'host' : `${formatActorKey(actor)}${turn}`
  return `${level} ${source}: ${message}`
}
