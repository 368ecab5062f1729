// Aim: every change of a source is noticed, no other file's is, and not while a file is being written. Method: a real
// folder; states are compared, and waits end by what happens in it.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FolderChanges, isSame } from '../../../host/cli/folder-changes.ts'
import { temporaryFolder } from '../../support/processes.ts'

function watched(): {
  changes: FolderChanges
  write: (name: string, text?: string) => string
  folder: string
} {
  const folder = path.join(temporaryFolder(), 'actor')
  const write = (name: string, text = name): string => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  write('a.ts')
  const ignored = [path.join(folder, 'out')]
  const changes = new FolderChanges({ folder, isSource: (file) => file.endsWith('.ts'), ignored })
  onTestFinished(() => changes.close())
  return { changes, write, folder }
}

test('a source that comes, changes or goes is a change; others are not', () => {
  const { changes, write } = watched()
  const isChanged = (act: () => unknown): boolean => {
    const before = changes.look()
    act()
    return !isSame(before, changes.look())
  }
  expect(isChanged(() => write('a.ts', 'longer than before'))).toBe(true)
  expect(isChanged(() => write('deep/er/b.ts'))).toBe(true)
  expect(isChanged(() => rmSync(write('deep/er/b.ts')))).toBe(true)
  for (const other of ['notes.md', 'build/a.ts', 'node_modules/x/a.ts', '.git/a.ts', 'out/a.ts'])
    expect([other, isChanged(() => write(other))]).toEqual([other, false])
  const outside = write('../shared/c.ts')
  expect(isChanged(() => write('../shared/c.ts', 'not yet known'))).toBe(false)
  expect(isSame(changes.look(), changes.also([outside], changes.look()))).toBe(false)
  expect(isChanged(() => write('../shared/c.ts', 'known'))).toBe(true)
})

test('a change is told once nothing happens any more, however early it came', async () => {
  const { changes, write } = watched()
  const before = changes.look()
  write('a.ts', '')
  let isTold = false
  const told = changes.changedSince(before, new AbortController().signal).then(() => {
    isTold = true
  })
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  expect(isTold).toBe(false)
  write('a.ts', 'the rest of it')
  await told
  expect(isSame(before, changes.look())).toBe(false)
})

test('waiting ends when it is to end, without a change', async () => {
  const { changes } = watched()
  const ending = new AbortController()
  const waited = changes.changedSince(changes.look(), ending.signal)
  ending.abort()
  await waited
})
