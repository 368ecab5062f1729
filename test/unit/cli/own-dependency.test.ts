import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ownDependency } from '../../../host/cli/own-dependency.ts'
import { temporaryFolder } from '../../support/host.ts'

/** A Loom in `node_modules`, as npm installs it from `resolved`. */
function installed(resolved: string | undefined): { folder: string; depends: string } {
  const folder = temporaryFolder()
  const root = path.join(folder, 'node_modules/loom')
  mkdirSync(root, { recursive: true })
  writeFileSync(path.join(folder, 'loom.tgz'), '')
  const notes = { packages: { 'node_modules/loom': { resolved } } }
  if (resolved !== undefined)
    writeFileSync(path.join(folder, 'node_modules/.package-lock.json'), JSON.stringify(notes))
  return { folder, depends: ownDependency(root, '1.2.3', path.join(folder, 'my-actor')) }
}

test.each([
  ['https://registry.example/loom/-/loom-1.2.3.tgz', '^1.2.3'],
  ['https://example.com/loom.tgz', 'https://example.com/loom.tgz'],
  ['git+ssh://git@example.com/loom.git#abc', 'git+ssh://git@example.com/loom.git#abc'],
  ['file:loom.tgz', 'file:../loom.tgz'],
  ['file:gone.tgz', 'file:../node_modules/loom'],
  [undefined, '^1.2.3'],
])('a project made by a Loom from %s depends on %s', (resolved, expected) => {
  expect(installed(resolved).depends).toBe(expected)
})

test('a project made by a checkout depends on its folder', () => {
  expect(ownDependency('/src/loom', '1.2.3', '/src/made/my-actor')).toBe('file:../../loom')
})
