// Aim: `loom wit`, `diff`, `types <file>` and `gen` do what their help says, from components and WIT text, and fail
// with the codes of the table. What is compatible: test/unit/component/contract.test.ts.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { COUNTER } from '../support/actors.ts'
import { loom, temporaryFolder } from '../support/processes.ts'

const BANK = 'actors/bank/account.wit'
const BANKS = ['bank', 'bank-rust', 'bank-c'].map((name) => `test/fixtures/components/${name}.wasm`)

test('a component and its WIT say the same contract, in every language', async () => {
  const shown = await loom(['wit', COUNTER])
  expect(shown.code).toBe(0)
  expect(shown.stdout).toContain('    increment: func(by: u32) -> u64;\n')
  expect(JSON.parse((await loom(['wit', COUNTER, '--json'])).stdout).wit).toBe(shown.stdout)
  for (const bank of BANKS) {
    const same = await loom(['diff', BANK, bank])
    expect([bank, same.code, same.stdout]).toEqual([
      bank,
      0,
      `compatible ${bank} can take the place of ${BANK}\n`,
    ])
  }
})

test('a diff lists what breaks, and ends with 65', async () => {
  const file = path.join(temporaryFolder(), 'new.wit')
  const text = readFileSync(BANK, 'utf8').replace('withdraw:', 'take:')
  writeFileSync(file, text.replace('insufficient(u64)', 'insufficient(s64)'))
  const found = await loom(['diff', BANKS[0] ?? '', file])
  expect(found.code).toBe(65)
  expect(found.stdout).toContain('#withdraw: the function was removed\n')
  expect(found.stdout).toContain('case "insufficient": u64 became s64\n')
  expect(found.stderr).toMatch(/^error ERR_INCOMPATIBLE: .*new\.wit: \d+ changes break what /)
  const json = await loom(['diff', BANKS[0] ?? '', file, '--json'])
  expect(JSON.parse(json.stdout)).toMatchObject({
    compatible: false,
    breaks: expect.arrayContaining([
      {
        kind: 'removed',
        side: 'exports',
        where: 'loom:bank/account@0.1.0#withdraw',
        message: 'the function was removed',
      },
    ]),
  })
  expect(JSON.parse(json.stderr)).toMatchObject({ errorCode: 'ERR_INCOMPATIBLE' })
})

test('types are written for files and for pushed types', async () => {
  const folder = temporaryFolder()
  const data = ['--data', path.join(folder, 'data')]
  await loom(['push', COUNTER, '--type', 'Counter', ...data])
  const pushed = await loom(['types', 'Counter', ...data])
  expect(pushed.stdout).toContain('  increment(by: number): bigint\n')
  const out = path.join(folder, 'counter.d.ts')
  const written = await loom(['types', COUNTER, '--out', out])
  expect([written.code, written.stdout]).toEqual([0, ''])
  expect(readFileSync(out, 'utf8')).toContain('  increment(by: number): bigint\n')
  const unknown = await loom(['types', 'Nobody', ...data])
  expect(unknown.stderr).toMatch(/^error ERR_TYPE_UNKNOWN: /)
})

test('gen writes the client that is committed, bindings for C and declarations for AssemblyScript', async () => {
  const out = temporaryFolder()
  const client = await loom(['gen', 'client', BANK, '--out', out])
  expect(client.code).toBe(0)
  for (const folder of ['actors/bank-rust/wit', 'test/fixtures/guests/bank-c'])
    expect(readFileSync(path.join(out, 'account-client.wit'), 'utf8')).toBe(
      readFileSync(`${folder}/account-client.wit`, 'utf8'),
    )
  await loom(['gen', 'c', 'test/fixtures/guests/bank-c/world.wit', '--out', out])
  expect(readFileSync(path.join(out, 'world.h'), 'utf8')).toContain(
    'account_client_account_t account_client_account_new(loom_string actor_type, loom_string id);',
  )
  expect(existsSync(path.join(out, 'glue.c'))).toBe(true)
  await loom(['gen', 'assemblyscript', BANK, '--out', out])
  expect(readFileSync(path.join(out, 'account.d.ts'), 'utf8')).toContain('class Account ')
  await loom(['gen', 'typescript', 'actors/cart/world.wit', '--out', out])
  expect(readFileSync(path.join(out, 'world.d.ts'), 'utf8')).toContain('export interface Cart {')
  const host = readFileSync(path.join(out, 'host.d.ts'), 'utf8')
  for (const served of ['loom:actor/reminders@0.2.0', 'loom:http/fetch@0.1.0'])
    expect(host).toContain(served)
})

test.each([
  [['wit', 'nowhere.wasm'], 2, /^error ERR_OPTION: cannot read nowhere\.wasm/],
  [['wit', 'package.json'], 65, /^error ERR_COMPONENT_FORMAT: package\.json: /],
  [['gen', 'rust', BANK], 2, /^error ERR_OPTION: Rust has wit-bindgen.*loom_actor::bindings/],
  [['gen', 'cobol', BANK], 2, /^error ERR_OPTION: cobol: expected one of client, c, /],
])('loom %s is refused', async (args, code, message) => {
  const refused = await loom(args)
  expect([refused.code, refused.stdout]).toEqual([code, ''])
  expect(refused.stderr).toMatch(message)
})

test('a mistake in WIT text is shown with its place', async () => {
  const file = path.join(temporaryFolder(), 'bad.wit')
  writeFileSync(file, 'package a:b;\ninterface c {\n  d: func() -> u33;\n}\n')
  const refused = await loom(['wit', file])
  expect(refused.code).toBe(65)
  expect(refused.stderr).toMatch(/^error ERR_BUILD: .*bad\.wit:3:\d+: .*u33/)
})
