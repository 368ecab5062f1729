// Aim: a build that would give the same is skipped, and no other. Method: one folder is built again after each kind
// of change; what is skipped must say so and hold what the build gave.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { currentStamp } from '../../guest-sdk/assemblyscript/build-stamp.ts'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { withActor } from './actor-folder.ts'

const SOURCE = `import { step } from "./step";
@component("test:it/it@0.1.0")
export class It {
  private total: u32 = 0;
  add(): u32 { this.total += step(); return this.total; }
}`

test('what has not changed is not built again', { timeout: 240_000 }, async () => {
  const files = { 'index.ts': SOURCE, 'step.ts': 'export function step(): u32 { return 1; }' }
  await withActor(files, async (dir) => {
    const file = (name: string): string => path.join(dir, name)
    const first = await buildActor({ dir, entry: 'index.ts' })
    expect(first.unchanged).toBeUndefined()
    const second = await buildActor({ dir, entry: 'index.ts' })
    expect(second).toEqual({
      ...first,
      component: readFileSync(first.files.component),
      unchanged: true,
    })
    expect(Buffer.compare(second.component, first.component)).toBe(0)

    writeFileSync(file('step.ts'), 'export function step(): u32 { return 2; }')
    const third = await buildActor({ dir, entry: 'index.ts' })
    expect(third.unchanged).toBeUndefined()
    expect(Buffer.compare(third.component, first.component)).not.toBe(0)

    const folder = { dir, outDir: path.join(dir, 'build'), name: path.basename(dir) }
    const stampFile = file(`build/${folder.name}.stamp.json`)
    const stamp = readFileSync(stampFile, 'utf8')
    const { tools } = JSON.parse(stamp) as { tools: string }
    const isCurrent = (): boolean => currentStamp(folder, tools) !== null
    expect(isCurrent()).toBe(true)
    expect(currentStamp(folder, `${tools}0`)).toBe(null)
    for (const name of ['notes.wit', 'asconfig.json', 'lib/more.ts']) {
      mkdirSync(path.dirname(file(name)), { recursive: true })
      writeFileSync(file(name), '{}')
      expect([name, isCurrent()]).toEqual([name, false])
      rmSync(file(name))
      expect([name, isCurrent()]).toEqual([name, true])
    }
    // A file that was looked for in vain would be found now.
    const absent = Object.entries(JSON.parse(stamp).inputs).find(([, hash]) => hash === null)
    if (absent !== undefined) {
      writeFileSync(path.resolve(dir, absent[0]), '')
      expect([absent[0], isCurrent()]).toEqual([absent[0], false])
      rmSync(path.resolve(dir, absent[0]))
    }
    for (const damaged of ['{', '{}', '']) {
      writeFileSync(stampFile, damaged)
      expect([damaged, isCurrent()]).toEqual([damaged, false])
    }
    writeFileSync(stampFile, stamp)
    writeFileSync(third.files.component, 'damaged')
    expect(isCurrent()).toBe(false)
  })
})
