/**
 * `loom build --watch`: a build at each change of a source, until it is ended.
 *
 *   building -> waiting        the build succeeded, or the source is wrong: both are shown
 *   waiting  -> building       a file changed since the last build began
 *   any      -> ended          `ending`; also when the first build finds no builder to go on with
 *
 * Owns: that loop. Does not own: what a change is (folder-changes.ts), the builder's process (resident-builder.ts),
 * what is shown (commands/build.ts).
 *
 * Invariant WB1: a change during a build is built after it.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { LoomError } from '../base/errors.ts'
import { FolderChanges, type WatchedFiles } from './folder-changes.ts'
import { ResidentBuilder } from './resident-builder.ts'
import { type Answer, failureOf } from './sdk-process.ts'

export interface WatchRequest {
  readonly files: WatchedFiles
  readonly args: readonly string[]
  /** The builder's program; another one when the folder's language changes. */
  readonly program: () => string
  readonly ending: AbortSignal
}

/** A build that succeeded, or why it did not. */
export type Outcome<T> = { readonly durationMs: number } & (
  | { readonly kind: 'built'; readonly result: T }
  | { readonly kind: 'failed'; readonly error: LoomError }
)

/**
 * Builds, calls `report` with what came of it, and does so again after each change.
 * @throws ERR_TOOLCHAIN, ERR_OPTION: of the first build. Later ones are reported: tools may be installed meanwhile.
 */
export async function watchBuild<T>(
  { files, args, program, ending }: WatchRequest,
  report: (outcome: Outcome<T>) => void,
): Promise<void> {
  const changes = new FolderChanges(files)
  let outside: readonly string[] = []
  let name = program()
  let builder = new ResidentBuilder(name, args)
  ending.addEventListener('abort', () => builder.end())
  try {
    for (let isFirst = true; !ending.aborted; isFirst = false) {
      const before = changes.look()
      if (program() !== name) {
        builder.end()
        name = program()
        builder = new ResidentBuilder(name, args)
      }
      const { outcome, inputs } = await buildOnce<T>(builder)
      if (ending.aborted) return
      if (isFirst && outcome.kind === 'failed' && isHopeless(outcome.error, files))
        throw outcome.error
      report(outcome)
      // A mistake may be mended in any of the files that the last good build read.
      outside = outcome.kind === 'built' ? inputs : [...outside, ...inputs]
      await changes.changedSince(changes.also(outside, before), ending)
    }
  } finally {
    changes.close()
    builder.end()
  }
}

function isHopeless({ code }: LoomError, { folder }: WatchedFiles): boolean {
  return code !== 'ERR_BUILD' || !existsSync(folder)
}

async function buildOnce<T>(
  builder: ResidentBuilder,
): Promise<{ outcome: Outcome<T>; inputs: readonly string[] }> {
  const startedMs = performance.now()
  const duration = (): number => Math.round(performance.now() - startedMs)
  try {
    const answer = await builder.build<T>()
    const { inputs = [] } = answer
    if (answer.ok)
      return { outcome: { kind: 'built', result: answer, durationMs: duration() }, inputs }
    const error = failureOf(answer, answer.exitCode)
    return { outcome: { kind: 'failed', error, durationMs: duration() }, inputs: placesOf(answer) }
  } catch (error) {
    if (!(error instanceof LoomError)) throw error
    return { outcome: { kind: 'failed', error, durationMs: duration() }, inputs: [] }
  }
}

/** The files that have mistakes: a mistake may be mended outside of the folder. */
function placesOf<T>(answer: Answer<T>): string[] {
  const mistakes = answer.ok ? [] : (answer.mistakes ?? [])
  return mistakes.flatMap(({ file }) => (typeof file === 'string' ? [path.resolve(file)] : []))
}
