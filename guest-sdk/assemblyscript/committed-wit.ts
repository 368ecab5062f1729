/**
 * The WIT that is committed beside an actor's source.
 *
 * Owns: `<folder>/<name>.wit`, comparing it with what the source gives, so that a change of the interface
 * is seen in a review and never happens by accident.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { ActorFolder } from './actor-folder.ts'
import { displayPath } from './actor-folder.ts'
import { BuildError } from './errors.ts'
import { writeAtomic } from './write-atomic.ts'

const MEND = 'if that is meant, run: loom build --save-wit'

function committedFile({ dir, name }: ActorFolder): string {
  return path.join(dir, `${name}.wit`)
}

export function saveWit(folder: ActorFolder, wit: string): Promise<void> {
  return writeAtomic(committedFile(folder), wit)
}

/** @throws BuildError at the first line that differs. */
export async function checkWit(folder: ActorFolder, wit: string): Promise<void> {
  const path = committedFile(folder)
  const file = displayPath(path)
  const committed = await readFile(path, 'utf8').catch(() => null)
  if (committed === wit) return
  if (committed === null) {
    const message = 'there is no committed WIT; write it with: loom build --save-wit'
    throw new BuildError([{ message, file, line: 1, column: 1 }])
  }
  const was = committed.split('\n')
  const is = wit.split('\n')
  const index = was.findIndex((line, at) => line !== is[at])
  const line = index === -1 ? was.length : index + 1
  const message = `committed: ${quote(was[line - 1])}, by the source: ${quote(is[line - 1])}; ${MEND}`
  throw new BuildError([{ message, file, line, column: 1 }])
}

function quote(line: string | undefined): string {
  return line === undefined ? 'nothing more' : `'${line.trim()}'`
}
