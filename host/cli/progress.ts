/**
 * Progress on stderr for anything that takes over a second: a line that is rewritten on a terminal, a
 * plain line now and then elsewhere, nothing with `--json`.
 */
export interface Progress {
  /** Says how far the task is, such as `1,000 of 5,000 turns`. */
  update(detail: string): void
}

const FIRST_AFTER_MS = 1_000
const TERMINAL_EVERY_MS = 100
const PLAIN_EVERY_MS = 10_000

/** Runs `task`, showing `label` and what it reports. */
export async function withProgress<T>(
  label: string,
  quiet: boolean,
  task: (progress: Progress) => Promise<T>,
): Promise<T> {
  const terminal = process.stderr.isTTY === true
  const startedMs = performance.now()
  let detail = ''
  let shown = false
  const show = (): void => {
    const elapsedS = Math.round((performance.now() - startedMs) / 1_000)
    const text = `${label}${detail === '' ? '' : `: ${detail}`} (${elapsedS} s)`
    process.stderr.write(terminal ? `\r\x1b[K${text}` : `${text}\n`)
    shown = true
  }
  const start = (): void => {
    show()
    timer = setInterval(show, terminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS).unref()
  }
  let timer = quiet ? undefined : setTimeout(start, FIRST_AFTER_MS).unref()
  try {
    return await task({
      update: (text) => {
        detail = text
      },
    })
  } finally {
    clearTimeout(timer)
    if (shown && terminal) process.stderr.write('\r\x1b[K')
  }
}
