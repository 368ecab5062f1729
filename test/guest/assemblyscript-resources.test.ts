// Aim: an actor uses resources of its host as classes, holds them over turns, and calls another actor through
// the client that is made of the other's interface. Method: built actors on the host, whose embedder provides
// the resources by their canonical names.
import { describe, expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { Actor, fsBlobs, memory, openInspector, type RuntimeOptions } from '../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

type Files = Readonly<Record<string, string>>
type Runtime = 'minimal' | 'incremental'

async function build(files: Files, runtime: Runtime = 'minimal') {
  return withActor(files, (dir) => buildActor({ dir, write: false, entry: 'index.ts', runtime }))
}

const FILES = `package acme:files@1.0.0;
interface files {
  variant failure { missing(string), denied }
  /// A file of the host.
  resource file {
    /// Makes one.
    constructor(name: string);
    read: func(count: u32) -> string;
    same: func(other: borrow<file>) -> bool;
    drop: func() -> u8;
    open: static func(name: string) -> result<file, failure>;
    all: static func() -> list<file>;
  }
  record pair { left: file, right: option<file> }
  join: func(pair: pair) -> file;
  destroy: func(files: list<file>) -> u32;
  name-of: func(file: borrow<file>) -> string;
}`

const KEEPER = `
import { Result } from "loom";
import { File, Pair, Failure, FailureMissing, destroy, join, nameOf } from "./host/files";
@component("acme:keeper/keeper@1.0.0") export class Keeper {
  private kept: File[] = [];
  make(name: string): string { const file = new File(name); this.kept.push(file); return file.read(7); }
  names(): string[] { const all: string[] = []; for (let i = 0; i < this.kept.length; i++) all.push(nameOf(this.kept[i])); return all; }
  open(name: string): string {
    const opened = File.open(name);
    if (opened.isErr) return opened.error instanceof FailureMissing ? "missing " + (opened.error as FailureMissing).value : "denied";
    this.kept.push(opened.value); return nameOf(opened.value);
  }
  same(a: u32, b: u32): bool { return this.kept[a].same(this.kept[b]); }
  join(): void {
    const right = this.kept.pop(), left = this.kept.pop();
    this.kept.push(join(new Pair(left, right)));
  }
  all(): u32 { const all = File.all(); this.kept = this.kept.concat(all); return all.length; }
  destroy(): u32 { const count = destroy(this.kept); this.kept = []; return count; }
  drop(): void { const file = this.kept.pop(); file.drop_(); file.drop(); file.drop(); }
  misuse(): string { const file = this.kept.pop(); file.drop(); return nameOf(file); }
}`

/** Files of an embedder; a representation is an index into `names`. */
function provideFiles(names: string[], drops: number[]) {
  const make = (name: string) => names.push(name) - 1
  return {
    '[constructor]file': make,
    '[method]file.read': (file: number, count: number) => `${names[file]}:${count}`,
    '[method]file.same': (a: number, b: number) => a === b,
    '[method]file.drop': () => 1,
    '[static]file.open': (name: string) =>
      name === 'no'
        ? { tag: 'err', val: { tag: 'missing', val: name } }
        : { tag: 'ok', val: make(name) },
    '[static]file.all': () => [make('x'), make('y')],
    '[resource-drop]file': (file: number) => {
      drops.push(file)
    },
    join: ({ left, right }: { left: number; right: number }) =>
      make(`${names[left]}+${names[right]}`),
    destroy: (files: number[]) => files.length,
    'name-of': (file: number) => names[file],
  }
}

describe.each(['minimal', 'incremental'] as const)('resources of the host, %s runtime', (kind) => {
  test('are classes whose objects live over turns, crashes and replays', async () => {
    const { component, wit } = await build({ 'index.ts': KEEPER, 'host/files.wit': FILES }, kind)
    expect(wit).toContain(
      '    /// Makes one.\n      constructor(name: string);'.replace('    ///', '      ///'),
    )
    expect(wit).toContain('open: static func(name: string) -> result<file, failure>;')
    expect(wit).toContain('name-of: func(file: borrow<file>) -> string;')
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const names: string[] = []
    const drops: number[] = []
    const open = async (options: Partial<RuntimeOptions> = {}) => {
      const runtime = await openHost({ store, blobs, ...options })
      runtime.provide('acme:files/files@1.0.0', provideFiles(names, drops))
      await runtime.registerActorType('Keeper', { type: 'wasm', component })
      return runtime
    }
    const first = await open({ limits: { snapshotIntervalTurns: 3 } })
    const keeper = await first.getActor('k', 'Keeper')
    expect(await keeper.call('make', 'é')).toBe('é:7')
    expect(await keeper.call('open', 'no')).toBe('missing no')
    expect(await keeper.call('open', 'two')).toBe('two')
    expect(await keeper.call('same', 0, 0)).toBe(true)
    expect(await keeper.call('same', 0, 1)).toBe(false)
    store.crash()
    const second = await open()
    const again = await second.getActor('k', 'Keeper')
    expect(await again.call('names')).toEqual(['é', 'two'])
    await again.call('join')
    expect(await again.call('names')).toEqual(['é+two'])
    expect(await again.call('all')).toBe(2)
    await again.call('drop')
    expect(drops).toEqual([4])
    const misuse = await errorOf(again.call('misuse'))
    expect(misuse).toMatchObject({ code: 'ERR_TRAP' })
    expect(misuse.message).toContain('this File was dropped or given away')
    expect(await again.call('destroy')).toBe(2)
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Keeper', id: 'k' })
    expect(report.stateHash).toBe((await second.describeActor('k', 'Keeper')).stateHash)
  })
})

describe('what an actor cannot do with a resource', () => {
  test.each([
    [
      'export it',
      'lend(file: File): void {}',
      "'File' is a resource of the host; an actor cannot pass it on",
    ],
  ])('%s', async (_what, method, message) => {
    const source = KEEPER.replace('misuse(): string', `${method}\n  misuse(): string`)
    const [mistake] = await mistakesIn({ 'index.ts': source, 'host/files.wit': FILES })
    expect(mistake).toMatch(/^index\.ts:\d+:\d+: /)
    expect(mistake).toContain(message)
  })
})

const ACCOUNT = `package bank:account;
interface account {
  variant account-error { not-open, insufficient(u64) }
  /// Adds.
  deposit: func(amount: u64) -> result<u64, account-error>;
  balance: func() -> u64;
}`

test('the client of another actor is made of its interface', async () => {
  const { component, wit } = await build({
    'host/account.wit': ACCOUNT,
    'index.ts': `
      import { Account } from "./host/account-client";
      @component("bank:clerk/clerk@1.0.0") export class Clerk {
        private ann: Account | null = null;
        pay(id: string, amount: u64): u64 {
          const account = new Account("Bank", id);
          const paid = account.deposit(amount);
          account.drop();
          return paid.isOk ? paid.value : 0;
        }
        payAnn(amount: u64): u64 {
          if (this.ann === null) this.ann = new Account("Bank", "ann");
          const ann = this.ann as Account;
          return ann.deposit(amount).value;
        }
      }`,
  })
  expect(wit).toContain(`
  interface account-client {
    use account.{account-error};

    /// One of them.
    resource account {
      /// The actor of this type, as hosts know it, with this id.
      constructor(actor-type: string, id: string);

      /// Adds.
      deposit: func(amount: u64) -> result<u64, account-error>;
    }
  }
`)
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const open = async () => {
    const runtime = await openHost({ store, blobs })
    await runtime.registerActorType('Clerk', { type: 'wasm', component })
    await runtime.registerActorType('Bank', { type: 'typescript', actorClass: Bank })
    return runtime.getActor('c', 'Clerk')
  }
  const clerk = await open()
  expect(await clerk.call('pay', 'ann', 7)).toBe(7n)
  expect(await clerk.call('pay-ann', 1)).toBe(8n)
  // A client that is kept is part of the actor's state.
  store.crash()
  expect(await (await open()).call('pay-ann', 2)).toBe(10n)
})

class Bank extends Actor<{ held: bigint }> {
  static readonly initialState = { held: 0n }

  deposit(amount: bigint): unknown {
    this.updateState(({ held }) => ({ held: held + amount }))
    return { tag: 'ok', val: this.state.held }
  }
}
