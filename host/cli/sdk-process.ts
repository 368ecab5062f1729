/**
 * Guest SDKs as child processes: the host never loads one, or its compiler
 * (docs/adr/0001-builder-as-child-process.md).
 *
 * Owns: asking one, and what its failures are called here. Does not own: what is asked.
 */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { LoomError } from '../base/errors.ts'
import { type Mistake, textOfMistake } from './mistake.ts'

const SDKS = path.resolve(import.meta.dirname, '../../guest-sdk')
/** A component and its base64 text, with room. */
const OUTPUT_MAX_BYTES = 128 * 1024 * 1024
const EXIT_TOOLCHAIN = 69

/** What a program of `guest-sdk` prints. */
export type Answer<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly error: Mistake; readonly mistakes?: readonly Mistake[] }

export function programFile(program: string): string {
  return path.join(SDKS, program)
}

/**
 * Runs a program of `guest-sdk`, which prints one JSON object.
 * @throws ERR_BUILD with the place of a mistake, ERR_TOOLCHAIN, ERR_OPTION
 */
export async function askSdk<T>(program: string, args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await run([programFile(program), ...args])
  const answer = parseAnswer<T>(stdout)
  if (answer === null) throw endedEarly(exitCode, stderr)
  if (answer.ok) return answer
  throw failureOf(answer, exitCode)
}

/** A program ended without an answer. */
export function endedEarly(code: number | string, stderr: string): LoomError {
  const last = stderr.trim().split('\n').at(-1) ?? ''
  return new LoomError('ERR_TOOLCHAIN', `the builder ended with code ${code}: ${last}`)
}

/** What an answer that says no means here. */
export function failureOf(
  answer: Answer<unknown> & { readonly ok: false },
  exitCode: number,
): LoomError {
  const { error, mistakes = [] } = answer
  const { file, line, column } = error
  const code =
    exitCode === EXIT_TOOLCHAIN ? 'ERR_TOOLCHAIN' : exitCode === 2 ? 'ERR_OPTION' : 'ERR_BUILD'
  const all = mistakes.length > 1 ? { mistakes } : {}
  return new LoomError(code, textOfMistake(error), { data: { file, line, column, ...all } })
}

export function parseAnswer<T, Besides = object>(text: string): (Answer<T> & Besides) | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

interface Finished {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { maxBuffer: OUTPUT_MAX_BYTES },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode ?? 1, stdout, stderr }),
    )
  })
}
