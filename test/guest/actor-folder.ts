/**
 * Actors written by tests.
 *
 * Owns: a temporary folder with the sources of one actor; what a build of it complains about.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { BuildError, buildActor } from '../../guest-sdk/assemblyscript/index.ts'

type BuildActor = (options: { dir: string; write: false }) => Promise<unknown>

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

/** Builds `files`, which must fail; places of all mistakes as compilers print them. */
export function mistakesIn(
  files: Readonly<Record<string, string>>,
  build: BuildActor = buildActor,
): Promise<readonly string[]> {
  return withActor(files, async (dir) => {
    const error = await build({ dir, write: false }).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (!(error instanceof BuildError)) throw error ?? new Error('it was built')
    expect(error).toMatchObject({ ...error.mistakes[0] })
    return error.mistakes.map(
      (one) => `${path.relative(dir, one.file)}:${one.line}:${one.column}: ${one.message}`,
    )
  })
}
