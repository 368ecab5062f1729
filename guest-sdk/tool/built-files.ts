/**
 * The files of a built actor.
 *
 * Owns: their names, the order in which they are written; which of the files that were read are not the folder's.
 * Does not own: how a file is written (write-atomic.ts).
 */
import path from 'node:path'
import { writeAtomic } from '../assemblyscript/write-atomic.ts'
import type { BuiltActor } from './command.ts'

export function filesOf(outDir: string, name: string): BuiltActor['files'] {
  return {
    component: path.join(outDir, `${name}.wasm`),
    wit: path.join(outDir, `${name}.wit`),
  }
}

/** Those of `files` that are not in `dir`, absolute and sorted. */
export function outsideOf(dir: string, files: Iterable<string>): string[] {
  const all = [...files].map((file) => path.resolve(dir, file))
  return all.filter((file) => path.relative(dir, file).startsWith('..')).sort()
}

/** The component last: where it is, its WIT is too. */
export async function writeBuilt({
  component,
  wit,
  files,
}: Pick<BuiltActor, 'component' | 'wit' | 'files'>): Promise<void> {
  await writeAtomic(files.wit, wit)
  await writeAtomic(files.component, component)
}
