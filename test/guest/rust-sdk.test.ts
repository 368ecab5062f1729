// Aim: an actor in Rust exports as many interfaces as its world, those of the host among them; what rustc and wit-bindgen
// complain about is told where the author wrote it, with what was expected. Method: crates in temporary folders, compiled
// with what this repository has compiled already.
import { copyFileSync, cpSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { buildActor } from '../../guest-sdk/rust/index.ts'
import { findToolchain } from '../../guest-sdk/rust/toolchain.ts'
import { VirtualClock } from '../../host/index.ts'
import { openHost } from '../support/host.ts'
import { PACKAGE_ROOT } from '../support/processes.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

const TIMEOUT = { timeout: 600_000 }
const rust = await findToolchain('.').catch((error: Error) => {
  process.stderr.write(`the Rust SDK is not tried: ${error.message}\n`)
  return null
})

const WIT = `package test:it;

interface count {
  add: func(by: list<u32>) -> u64;
}

interface ticks {
  arm: func(due: string) -> result<_, string>;
  seen: func() -> list<string>;
}

world actor {
  import loom:actor/reminders@0.2.0;
  export count;
  export ticks;
  export loom:actor/reminder-handler@0.2.0;
}
`

const LIB = `#![deny(unsafe_code, warnings)]
loom_actor::bindings!();
use bindings::exports::loom::actor::reminder_handler;
use bindings::exports::test::it::{count, ticks};
use bindings::loom::actor::reminders::{self, Missed, Schedule};

#[derive(Default)]
struct It {
    total: u64,
    seen: Vec<String>,
}

loom_actor::actor! {
    impl count::Guest for It {
        fn add(&mut self, mut by: Vec<u32>) -> u64 {
            by.push(1);
            self.total += by.iter().copied().map(u64::from).sum::<u64>();
            self.total
        }
    }

    impl ticks::Guest for It {
        fn arm(&self, due: String) -> Result<(), String> {
            let schedule = Schedule { due, period: None, ttl: None, missed: Missed::Once };
            reminders::set("tick", &schedule, &[7])
        }

        fn seen(&self) -> Vec<String> {
            self.seen.clone()
        }
    }

    impl reminder_handler::Guest for It {
        fn receive_reminder(&mut self, name: String, data: Vec<u8>) {
            self.seen.push(format!("{name} {data:?} at {}", self.total));
        }
    }
}
`

const CARGO = `[package]
name = "it"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
loom-actor = { path = ${JSON.stringify(path.join(PACKAGE_ROOT, 'guest-sdk/rust'))} }

[workspace]
`

/** As its README says: what the host serves is copied into the crate. */
function build(options: { dir: string; write: false }) {
  vi.stubEnv('CARGO_TARGET_DIR', path.join(PACKAGE_ROOT, 'target'))
  copyFileSync(path.join(PACKAGE_ROOT, 'Cargo.lock'), path.join(options.dir, 'Cargo.lock'))
  const deps = path.join(options.dir, 'wit/deps')
  mkdirSync(deps, { recursive: true })
  cpSync(path.join(PACKAGE_ROOT, 'wit/loom-actor@0.2.0'), path.join(deps, 'loom-actor'), {
    recursive: true,
  })
  return buildActor(options)
}

const files = (lib = LIB, wit = WIT): Record<string, string> => ({
  'Cargo.toml': CARGO,
  'src/lib.rs': lib,
  'wit/it.wit': wit,
})

test.runIf(rust !== null)(
  'an actor exports several interfaces over one state',
  TIMEOUT,
  async () => {
    const { component } = await withActor(files(), (dir) => build({ dir, write: false }))
    const clock = new VirtualClock(1_000_000)
    const runtime = await openHost({ clock })
    await runtime.registerActorType('It', { type: 'wasm', component })
    const actor = await runtime.getActor('a', 'It')
    expect(await actor.call('add', [1, 2])).toBe(4n)
    expect(await actor.call('arm', 'nonsense')).toMatchObject({ tag: 'err' })
    expect(await actor.call('arm', '5s')).toEqual({ tag: 'ok' })
    clock.advance(5_000)
    await expect.poll(() => actor.call('seen')).toEqual(['tick [7] at 4'])
  },
)

test.runIf(rust !== null).each<[string, Record<string, string>, RegExp]>([
  [
    'a method that is missing',
    files(LIB.replace(/ {8}fn seen[\s\S]*?\n {8}\}\n/, '')),
    /^src\/lib\.rs:13:1: not all trait items implemented, missing: `seen`/,
  ],
  [
    'a result of another type',
    files(LIB.replace('self.total\n', 'by.len()\n')),
    /^src\/lib\.rs:18:13: mismatched types; expected `u64`, found `usize`/,
  ],
  [
    'a type that the WIT does not have',
    files(LIB, WIT.replace('list<u32>', 'list<u33>')),
    /^wit\/it\.wit:4:22: name `u33` does not exist$/,
  ],
  [
    'a package that is not there',
    files(LIB, WIT.replace('loom:actor/reminders@0.2.0', 'acme:pricing/quotes')),
    /^wit\/it\.wit:13:10: package 'acme:pricing' not found; put its \.wit file into wit\/deps$/,
  ],
])('%s', TIMEOUT, async (_, wrong, expected) => {
  expect(await mistakesIn(wrong, build)).toEqual([expect.stringMatching(expected)])
})
