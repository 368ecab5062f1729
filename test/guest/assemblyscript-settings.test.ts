// Aim: an actor's asconfig.json chooses what it may, and is told where it asks for more; json-as works inside.
// Method: small actors with settings, built, and run by the host.
import { symlink } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { errorOf, openHost } from '../support/host.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

const PLAIN = `@component("a:b/c@1.0.0") export class A {
  private last: string[] = [];
  f(text: string): string[] { this.last.push(text + "!"); return this.last; }
}`

function settings(options: unknown): string {
  return JSON.stringify({ options }, null, 2)
}

describe('settings of an actor', () => {
  test.each([
    [
      '{ "options": { "exportStart": "main" } }',
      "1:16: an actor cannot set 'exportStart'; it can set runtime, optimizeLevel, shrinkLevel, converge, noAssert, transform",
    ],
    [settings({ runtime: 'stub' }), '3:5: \'runtime\' must be "minimal" or "incremental"'],
    [settings({ optimizeLevel: 4 }), "3:5: 'optimizeLevel' must be an integer from 0 to 3"],
    [settings({ converge: 1 }), "3:5: 'converge' must be true or false"],
    [
      settings({ transform: 'x' }),
      '3:5: \'transform\' must be a list of module names, such as ["json-as/transform"]',
    ],
    [
      settings({ transform: ['no-such-transform'] }),
      expect.stringMatching(/^4:7: Cannot find module 'no-such-transform'/),
    ],
    ['{ "entries": [] }', "1:3: 'entries' is not possible here; only 'options'"],
    ['{', expect.stringMatching(/^1:1: not JSON: /)],
    ['7', '1:1: not JSON: expected { "options": { ... } }'],
  ])('%s is refused', async (text, expected) => {
    const [mistake = '', ...others] = await mistakesIn({ 'a.ts': PLAIN, 'asconfig.json': text })
    expect(mistake.replace('asconfig.json:', '')).toEqual(expected)
    expect(others).toEqual([])
  })

  test('choose the collector and the optimiser', async () => {
    const build = (options: unknown) =>
      withActor({ 'index.ts': PLAIN, 'asconfig.json': settings(options) }, (dir) =>
        buildActor({ dir, write: false }),
      )
    const plain = await build({})
    const incremental = await build({ runtime: 'incremental' })
    const small = await build({ optimizeLevel: 0, shrinkLevel: 2, converge: true, noAssert: true })
    expect(incremental.sizeBytes).toBeGreaterThan(plain.sizeBytes)
    expect(small.sizeBytes).toBeLessThan(plain.sizeBytes)
  })
})

test('json-as works inside an actor, beside the WIT types', async () => {
  const source = `
    import { JSON } from "json-as";
    @json export class Line { product: string = ""; count: u32 = 0; }
    @json export class Order { id: u64 = 0; price: f64 = 0; lines: Line[] = []; note: string | null = null; }
    @component("acme:orders/orders@1.0.0") export class Orders {
      private last: Order = new Order();
      parse(text: string): u32 { this.last = JSON.parse<Order>(text); return this.last.lines.length; }
      print(): string { return JSON.stringify<Order>(this.last); }
      current(): Order { return this.last; }
    }`
  const files = {
    'index.ts': source,
    'asconfig.json': settings({ transform: ['json-as/transform'] }),
  }
  const { component } = await withActor(files, async (dir) => {
    await symlink(path.resolve('node_modules'), path.join(dir, 'node_modules'))
    return buildActor({ dir, write: false })
  })
  const runtime = await openHost()
  await runtime.registerActorType('Orders', { type: 'wasm', component })
  const orders = await runtime.getActor('o', 'Orders')
  const text = '{"id":7,"price":2.5,"lines":[{"product":"té 🍵","count":3}],"note":null}'
  expect(await orders.call('parse', text)).toBe(1)
  expect(await orders.call('print')).toBe(text)
  expect(await orders.call('current')).toEqual({
    id: 7n,
    price: 2.5,
    lines: [{ product: 'té 🍵', count: 3 }],
    note: undefined,
  })
  expect(await errorOf(orders.call('parse', '{"id":'))).toMatchObject({ code: 'ERR_TRAP' })
  expect(await orders.call('print')).toBe(text)
})
