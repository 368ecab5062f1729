// Aim: `loom build --watch` builds what was saved, whatever was saved, and goes on after mistakes. Method: the real
// command on a folder that the test edits; it waits for the line about the build, then calls the new component.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadComponent } from '../../host/component/load.ts'
import { HostAnswers, startGuest } from '../support/guests.ts'
import { LineProcess } from '../support/line-process.ts'
import { loom, PACKAGE_ROOT, temporaryFolder, until } from '../support/processes.ts'

const MAIN = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')

const SOURCE = `import { step } from "./step";
import { common } from "../shared/common";
@component("test:tick/tick@0.1.0")
export class Tick {
  next(): u32 { return step() + common(); }
}
`
const step = (value: number): string => `export function step(): u32 { return ${value}; }\n`
const common = (value: number): string => `export function common(): u32 { return ${value}; }\n`

class Watched {
  readonly dir: string
  readonly process: LineProcess
  #errorsSeen = 0

  constructor(files: Readonly<Record<string, string>>) {
    this.dir = path.join(temporaryFolder(), 'tick')
    for (const [name, text] of Object.entries(files)) this.write(name, text)
    this.process = new LineProcess([process.execPath, MAIN, 'build', this.dir, '--watch', '--json'])
    onTestFinished(() => this.process.kill())
  }

  write(name: string, text: string): void {
    const file = path.join(this.dir, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** What the component of the next build answers. */
  async answer(): Promise<unknown> {
    const line = await this.process.line()
    expect(line, this.process.errors).not.toBe('')
    const { component } = JSON.parse(line) as { component: string }
    const loaded = await loadComponent(readFileSync(component))
    return startGuest(loaded, new HostAnswers()).call('next')
  }

  /** The message of the next build that fails. */
  mistake(): Promise<string> {
    return until('a mistake', () => {
      const lines = this.process.errors.split('\n')
      if (lines.length <= this.#errorsSeen + 1) return null
      return (JSON.parse(lines[this.#errorsSeen++] ?? '') as { message: string }).message
    })
  }
}

test('every change of a source is built, mistakes are shown, and Ctrl-C ends it', {
  timeout: 240_000,
}, async () => {
  const watched = new Watched({
    'tick.ts': SOURCE,
    'step.ts': step(1),
    '../shared/common.ts': common(10),
  })
  const { dir } = watched
  expect(await watched.answer()).toBe(11)

  watched.write('step.ts', step(2))
  expect(await watched.answer()).toBe(12)
  watched.write('../shared/common.ts', common(20))
  expect(await watched.answer()).toBe(22)

  watched.write('step.ts', 'export function step(): u32 {\n  return nothing; }\n')
  expect(await watched.mistake()).toBe(`${dir}/step.ts:2:10: Cannot find name 'nothing'.`)
  watched.write('step.ts', step(3))
  expect(await watched.answer()).toBe(23)

  // A file that is missing, then comes.
  rmSync(path.join(dir, 'step.ts'))
  expect(await watched.mistake()).toMatch(/^.*tick\.ts:1:22: .*step.ts/)
  watched.write('step/index.ts', step(4))
  expect(await watched.answer()).toBe(24)

  // The actor's settings, which the compiler is started with.
  watched.write('asconfig.json', '{ "options": { "optimizeLevel": 99 } }')
  expect(await watched.mistake()).toContain(
    `asconfig.json:1:16: 'optimizeLevel' must be an integer from 0 to 3`,
  )
  watched.write('asconfig.json', '{ "options": { "optimizeLevel": 0 } }')
  expect(await watched.answer()).toBe(24)

  // WIT of the embedder, in a folder that was not there.
  watched.write('tick.ts', `import { latest } from "./host/quotes";\n${SOURCE}`)
  expect(await watched.mistake()).toMatch(/tick\.ts:1:24: .*quotes/)
  const wit = 'package acme:quotes@0.1.0;\n\ninterface quotes {\n  latest: func() -> u32;\n}\n'
  watched.write('host/quotes.wit', wit)
  expect(await watched.answer()).toBe(24)
  watched.write('host/quotes.wit', wit.replace('u32', 'u33'))
  expect(await watched.mistake()).toContain('quotes.wit:4:21: ')

  expect(watched.process.isRunning).toBe(true)
  watched.process.send('SIGINT')
  await watched.process.exited()
  expect([watched.process.exitCode, watched.process.signal]).toEqual([0, null])
})

test('what cannot be watched is refused at once', async () => {
  const nowhere = await loom(['build', path.join(temporaryFolder(), 'nothing'), '--watch'])
  expect([nowhere.code, nowhere.stderr]).toEqual([65, expect.stringContaining('no such folder')])
  const both = await loom(['build', 'actors/counter', '--watch', '--check'])
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('--check')])
})
