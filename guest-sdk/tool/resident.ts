/**
 * A builder that stays: `node cli.js <dir> --resident` builds once for each line on stdin and answers with a line on
 * stdout, so that compilers are loaded, and warm, from the second build on. `loom build --watch` keeps one.
 *
 * Owns: the lines, and when a process has built enough.
 * Does not own: the build; watching (host/cli).
 *
 * Invariant R1: it ends when stdin ends, as it does when whoever started it is gone.
 */
import readline from 'node:readline'

/** Compilers leave something behind at each build, and WebAssembly memory never shrinks. */
const BUILD_COUNT_MAX = 500
const RSS_MAX_BYTES = 1_500_000_000

/** What an answer has besides that of one build: whether another process should be asked next. */
interface ResidentAnswer {
  readonly isSpent: boolean
}

export async function answerLines(build: () => Promise<object>): Promise<void> {
  let count = 0
  for await (const _line of readline.createInterface({ input: process.stdin })) {
    const answer = await build()
    count += 1
    const isSpent = count >= BUILD_COUNT_MAX || process.memoryUsage.rss() >= RSS_MAX_BYTES
    console.log(JSON.stringify({ isSpent, ...answer } satisfies ResidentAnswer))
  }
}
