/**
 * Actors written by tests.
 *
 * Owns: a temporary folder with the sources of one actor.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Calls `use` with a folder that holds `files`, and removes it. */
export async function withActor<T>(
  files: Readonly<Record<string, string>>,
  use: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'loom-actor-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(dir, name)
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, text)
    }
    return await use(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
