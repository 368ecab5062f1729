// Aim: an author chooses the engine of an actor, and hears what is wrong with the choice; the same source gives the same
// bytes on StarlingMonkey too. That actors on it are like others is in languages, sdk and javascript-sdk.
import { cpSync } from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { buildActor, ToolchainError } from '../../guest-sdk/javascript/index.ts'
import { runBuild } from '../../guest-sdk/tool/command.ts'
import { componentBytes } from '../support/components.ts'
import { errorOf } from '../support/host.ts'
import {
  absence,
  linkStarlingMonkey,
  sayAbsence,
  starlingMonkeyComponent,
} from '../support/starlingmonkey.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

const FILES = {
  'world.wit': 'package t:i;\ninterface it { add: func() -> u32; }\nworld w { export it; }\n',
  'index.js': 'export const it = { add: () => 1 }\n',
}
const withPackage = (loom: unknown) => ({
  ...FILES,
  'package.json': `${JSON.stringify({ name: 'mine', loom })}\n`,
})
const INSTALL =
  /StarlingMonkey, is not installed; run: npm install --save-dev @bytecodealliance\/componentize-js@\d+/

describe('the engine', () => {
  test('that is not installed is named, with the line that installs it', async () => {
    await withActor(FILES, async (dir) => {
      const error = await errorOf(buildActor({ dir, write: false, engine: 'starlingmonkey' }))
      expect(error).toBeInstanceOf(ToolchainError)
      expect(error.message).toMatch(INSTALL)
    })
  })

  test("is what the author's package.json says", async () => {
    await withActor(withPackage({ engine: 'starlingmonkey' }), async (dir) => {
      expect((await errorOf(buildActor({ dir, write: false }))).message).toMatch(INSTALL)
    })
  })

  test.each<[unknown, string]>([
    [{ engine: 'v8' }, '"loom.engine" is \'v8\'; expected one of quickjs, starlingmonkey'],
    [{ motor: 'quickjs' }, '"loom" has \'motor\', which is not known; expected: engine'],
    ['quickjs', '"loom": expected an object'],
  ])('%j is refused', async (loom, expected) => {
    expect(await mistakesIn(withPackage(loom), buildActor)).toEqual([
      `package.json:1:1: ${expected}`,
    ])
  })
})

test.each<[readonly string[], string]>([
  [[], '--engine: only actors in JavaScript and TypeScript have an engine'],
  [['quickjs'], '--engine v8: expected one of quickjs'],
])('a builder with the engines %j refuses another one', async (engines, expected) => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  const build = (): never => {
    throw new Error('nothing is built')
  }
  expect(await runBuild(build, ['actor', '--engine', 'v8'], { derivesWit: false, engines })).toBe(2)
  expect(said.mock.calls).toEqual([[expected]])
})

sayAbsence('javascript-engines')

test.runIf(absence === null)(
  'the same source gives the same bytes on StarlingMonkey, in whatever folder',
  { timeout: 600_000 },
  async () => {
    await withActor({}, async (dir) => {
      cpSync('actors/counter-ts', `${dir}/counter-ts`, { recursive: true })
      linkStarlingMonkey(dir)
      const options = { dir: `${dir}/counter-ts`, write: false, engine: 'starlingmonkey' } as const
      const { component } = await buildActor(options)
      const built = componentBytes(starlingMonkeyComponent('counter-ts'))
      expect(Buffer.compare(component, built)).toBe(0)
    })
  },
)
