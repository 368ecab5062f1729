// Aim: an actor may export interfaces that exist already, several of them, with types of theirs or of others;
// what does not fit is told with its place. Method: small actors, built and run by the host.
import { describe, expect, test } from 'vitest'
import type { BuiltActor } from '../../guest-sdk/assemblyscript/index.ts'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import type { ActorHandle } from '../../host/index.ts'
import { openHost } from '../support/host.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

type Files = Readonly<Record<string, string>>

function build(files: Files): Promise<BuiltActor> {
  return withActor(files, (dir) => buildActor({ dir, write: false, entry: 'index.ts' }))
}

async function run({ component }: BuiltActor): Promise<ActorHandle> {
  const runtime = await openHost()
  await runtime.registerActorType('Actor', { type: 'wasm', component })
  return runtime.getActor('a', 'Actor')
}

const ACCOUNT = `package bank:account;

/// One account.
interface account {
    variant account-error {
        /// Not yet.
        not-open,
        insufficient(u64),
    }
    /// Opens it.
    open: func(owner: string) -> result<_, account-error>;
    withdraw: func(amount: u64) -> result<u64, account-error>;
    close: func();
}
`

const BANK = `
import { Result, Unit } from "loom";
import { Account, AccountError, AccountErrorInsufficient, AccountErrorNotOpen } from "./account";
@component() export class Bank extends Account {
  private owner: string = "";
  open(owner: string): Result<Unit, AccountError> {
    this.owner = owner;
    return Result.ok<Unit, AccountError>(true);
  }
  withdraw(amount: u64): Result<u64, AccountError> {
    if (this.owner == "") return Result.err<u64, AccountError>(new AccountErrorNotOpen());
    return Result.err<u64, AccountError>(new AccountErrorInsufficient(amount + 1));
  }
  close(): void { this.owner = ""; }
}`

describe('a class that extends the abstract class of a .wit file', () => {
  test('exports its interface, with its id and its comments', async () => {
    const built = await build({ 'index.ts': BANK, 'account.wit': ACCOUNT })
    expect(built.interfaceIds).toEqual(['bank:account/account'])
    expect(built.wit).toMatch(
      /^package bank:account;\n\n\/\/\/ One account\.\ninterface account \{/,
    )
    expect(built.wit).toContain('    /// Not yet.\n    not-open,\n    insufficient(u64),')
    expect(built.wit).toContain('  /// Opens it.\n  open: func(owner: string)')
    expect(built.wit).toMatch(/\n {2}import loom:actor\/guest@0\.1\.0;\n {2}export account;\n/)
    const bank = await run(built)
    expect(await bank.call('withdraw', 7)).toEqual({ tag: 'err', val: { tag: 'not-open' } })
    expect(await bank.call('open', 'ann')).toEqual({ tag: 'ok' })
    const insufficient = { tag: 'insufficient', val: 8n }
    expect(await bank.call('withdraw', 7)).toEqual({ tag: 'err', val: insufficient })
  })

  test.each([
    [
      'a missing method',
      BANK.replace('close(): void', 'private shut(): void'),
      "4:27: 'Bank' lacks methods of 'bank:account/account': close(): void",
    ],
    [
      'a method too many',
      BANK.replace('close(): void', 'rob(): void {}\nclose(): void'),
      "14:3: 'bank:account/account' (Account) has no function for method 'rob'; make it private",
    ],
    [
      'another id',
      BANK.replace('@component()', '@component("a:b/c@1.0.0")'),
      "4:12: the class extends 'Account', which is 'bank:account/account'; write @component()",
    ],
    [
      'another signature',
      BANK.replace('withdraw(amount: u64)', 'withdraw(amount: string)').replace('amount + 1', '1'),
      "10:3: 'bank:account/account' wants withdraw(amount: u64): Result<u64, AccountError>",
    ],
    [
      'the interface as a type',
      BANK.replace('Bank extends Account', 'Bank')
        .replace('@component()', '@component("a:b/c@1.0.0")')
        .replace('close(): void', 'close(a: Account): void'),
      "14:12: 'Account' is an interface, not a type of values; extend it",
    ],
  ])('is refused for %s', async (_what, source, expected) => {
    expect(await mistakesIn({ 'index.ts': source, 'account.wit': ACCOUNT })).toEqual([
      `index.ts:${expected}`,
    ])
  })
})

test('an interface may use types of another file and of other packages, which stay where they were', async () => {
  const built = await build({
    'index.ts': `
      import { Shop, Order, Money, Currency, Datetime } from "./wit/shop";
      @component() export class Store extends Shop {
        buy(what: string): Order { return new Order(what, new Money(5, Currency.Usd), new Datetime(7, 8)); }
      }`,
    'wit/shop.wit': `package acme:shop@1.0.0;
      interface shop {
        use money.{money};
        use wasi:clocks/wall-clock@0.2.0.{datetime};
        record order { what: string, price: money, at: datetime }
        buy: func(what: string) -> order;
      }`,
    'wit/money.wit': `package acme:shop@1.0.0;
      interface money { use acme:currency/kinds.{currency}; record money { amount: u64, currency: currency } }`,
    'wit/deps/currency.wit': `package acme:currency;
      /// Kinds.
      interface kinds { enum currency { eur, usd } }`,
  })
  expect(built.wit).toContain('  use acme:currency/kinds.{currency};\n')
  expect(built.wit).toContain('  use money.{money};\n')
  expect(built.wit).toContain('  use wasi:clocks/wall-clock@0.2.0.{datetime};\n')
  expect(built.wit).toContain('  import acme:currency/kinds;\n')
  const store = await run(built)
  expect(await store.call('buy', 'tea')).toEqual({
    what: 'tea',
    price: { amount: 5n, currency: 'usd' },
    at: { seconds: 7n, nanoseconds: 8 },
  })
})

describe('several component classes in one file', () => {
  const SOURCE = `
    export class Entry { constructor(public at: u32, public text: string) {} }
    const entries: Entry[] = [];
    /** Writes. */
    @component("acme:diary/writer@1.0.0") export class Writer {
      write(entry: Entry): void { entries.push(entry); }
    }
    @component("acme:diary/reader@1.0.0") export class Reader {
      private reads: u32 = 0;
      all(): Entry[] { this.reads++; return entries; }
      count(): u32 { return this.reads; }
    }`

  test('export an interface each, and share types and module variables', async () => {
    const built = await build({ 'index.ts': SOURCE })
    expect(built.interfaceIds).toEqual(['acme:diary/writer@1.0.0', 'acme:diary/reader@1.0.0'])
    expect(built.wit).toContain('interface writer {\n  record entry {')
    expect(built.wit).toContain('interface reader {\n  use writer.{entry};\n')
    const diary = await run(built)
    await diary.call('write', { at: 1, text: 'one' })
    expect(await diary.call('all')).toEqual([{ at: 1, text: 'one' }])
    expect(await diary.call('count')).toBe(1)
  })

  test('need different ids', async () => {
    const source = SOURCE.replace('diary/reader', 'diary/writer')
    expect(await mistakesIn({ 'index.ts': source })).toEqual([
      "index.ts:8:56: 'Writer' exports 'acme:diary/writer@1.0.0' already; give this class another id",
    ])
  })
})

test('a type of an imported interface is the same type in the exported one', async () => {
  const built = await build({
    'index.ts': `
      import { latest, Quote } from "./host/quotes";
      @component("a:b/c@1.0.0") export class A { last(): Quote { return latest(); } }`,
    'host/quotes.wit':
      'package acme:quotes;\ninterface quotes { record quote { price: f64 } latest: func() -> quote; }',
  })
  expect(built.wit).toContain('interface c {\n  use acme:quotes/quotes.{quote};\n')
  const runtime = await openHost()
  runtime.provide('acme:quotes/quotes', { latest: () => ({ price: 1.5 }) })
  await runtime.registerActorType('A', { type: 'wasm', component: built.component })
  expect(await (await runtime.getActor('a', 'A')).call('last')).toEqual({ price: 1.5 })
})

test('functions of one name in two interfaces of a file are told apart', async () => {
  const built = await build({
    'index.ts': `
      import { nowGet, pastGet, NowItem, PastItem, size } from "./host/q";
      @component("a:b/c@1.0.0") export class A {
        sum(): u32 { return nowGet(new NowItem(1)) + pastGet(new PastItem("é")) + size(); }
      }`,
    'host/q.wit': `package acme:q;
      interface now { record item { n: u32 } get: func(item: item) -> u32; size: func() -> u32; }
      interface past { record item { s: string } get: func(item: item) -> u32; }`,
  })
  const runtime = await openHost()
  runtime.provide('acme:q/now', { get: ({ n }: { n: number }) => n, size: () => 100 })
  runtime.provide('acme:q/past', { get: ({ s }: { s: string }) => s.length + 10 })
  await runtime.registerActorType('A', { type: 'wasm', component: built.component })
  expect(await (await runtime.getActor('a', 'A')).call('sum')).toBe(112)
})
