/**
 * Durations as people write them: `60m`, `1h30m`, `500ms`, as in Dapr and Go.
 */
import { LoomError } from './errors.ts'

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/gy

/**
 * A duration in milliseconds, rounded.
 * @param name what to call it in the message.
 * @throws ERR_OPTION
 */
export function parseDuration(text: string, name: string): number {
  let totalMs = 0
  let end = 0
  for (const part of text.matchAll(PART)) {
    totalMs += Number(part[1]) * (UNITS_MS[part[2] ?? ''] ?? 0)
    end = part.index + part[0].length
  }
  const ms = Math.round(totalMs)
  if (end > 0 && end === text.length && Number.isSafeInteger(ms)) return ms
  throw new LoomError(
    'ERR_OPTION',
    `${name}: expected a duration such as 60m, 1h30m or 500ms, got ${JSON.stringify(text.slice(0, 80))}`,
  )
}
