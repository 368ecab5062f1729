/**
 * Projects that `loom new` makes.
 *
 * Owns: making one, and giving it what its package.json asks for: links to this repository's packages, as npm makes
 * them of a folder.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { loom, PACKAGE_ROOT, temporaryFolder } from './processes.ts'

export interface NewProject {
  readonly dir: string
  readonly files: readonly string[]
  readonly scripts: Readonly<Record<string, string>>
}

/** `rate-counter`, in `language`, as `npm install` leaves it. */
export async function newProject(language: string): Promise<NewProject> {
  const dir = path.join(temporaryFolder(), 'rate-counter')
  const made = await loom(['new', dir, '--lang', language, '--json'])
  expect(made.code, made.stderr).toBe(0)
  const { files } = JSON.parse(made.stdout) as { readonly files: readonly string[] }
  for (const file of files) expect(readFileSync(path.join(dir, file), 'utf8')).not.toContain('{{')
  const manifest = readFileSync(path.join(dir, 'package.json'), 'utf8')
  const { scripts, devDependencies } = JSON.parse(manifest)
  for (const [name, version] of Object.entries<string>(devDependencies)) {
    const link = path.join(dir, 'node_modules', name)
    mkdirSync(path.dirname(link), { recursive: true })
    if (version.startsWith('file:')) symlinkSync(PACKAGE_ROOT, link)
    else symlinkSync(path.join(PACKAGE_ROOT, 'node_modules', name), link)
  }
  return { dir, files, scripts }
}
