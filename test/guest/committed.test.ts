// Aim: the committed components are what their sources give. Method: hashes of the sources, everywhere; where
// the compilers are installed, they are built again: C and JavaScript give the same bytes, Rust another compiler's
// bytes that must pass the same calls. In CI a missing compiler is a failure (scripts/get-rust-wasm.mjs gets it).
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { buildActor as buildC } from '../../guest-sdk/c/index.ts'
import { buildActor as buildJavaScript } from '../../guest-sdk/javascript/index.ts'
import { buildActor as buildRust, TARGETS } from '../../guest-sdk/rust/index.ts'
import { SDK_WIT, sdkWit } from '../../guest-sdk/rust/sdk-wit.ts'
import { findToolchain } from '../../guest-sdk/rust/toolchain.ts'
import { loadComponent } from '../../host/component/load.ts'
import { readManifest, sha256, sourceHashes } from '../../scripts/guest-manifest.ts'
import { componentBytes } from '../support/components.ts'
import { bankCall, Choices, counterCall, HostAnswers, startGuest } from '../support/guests.ts'

const guests = readManifest()
const REBUILT_CALLS = 2_000

describe.each(guests)('$name', ({ name, folder, language, sources, component, sizeBytes }) => {
  test('is built from the sources that are there', () => {
    const hint = `${folder} has changed: node dist/scripts/build-guests.js`
    expect(sourceHashes({ folder, language }), hint).toEqual(sources)
    expect(sha256(componentBytes(name))).toBe(component)
    expect(componentBytes(name).length).toBe(sizeBytes)
  })
})

test('the crate has the WIT of the host', () => {
  expect(readFileSync(SDK_WIT, 'utf8')).toBe(sdkWit())
})

const sizeOf = (name: string): number => componentBytes(name).length

test('counters are as small as their languages allow', () => {
  expect(sizeOf('counter')).toBeLessThanOrEqual(10 * 1_024)
  expect(sizeOf('counter-rust')).toBeLessThanOrEqual(25 * 1_024)
  expect(sizeOf('counter-c')).toBeLessThanOrEqual(4 * 1_024)
})

describe.each(guests.filter(({ language }) => language === 'c'))('$name', ({ name, folder }) => {
  test('gives the same bytes when it is built again', { timeout: 300_000 }, async () => {
    const { component, warnings } = await buildC({ dir: folder, write: false })
    expect(warnings).toEqual([])
    expect(Buffer.compare(component, componentBytes(name))).toBe(0)
  })
})

test.each(['counter-ts', 'bank-js'])(
  '%s gives the same bytes when it is built again',
  { timeout: 300_000 },
  async (name) => {
    const dir = guests.find((guest) => guest.name === name)?.folder ?? ''
    const { component, warnings } = await buildJavaScript({ dir, write: false })
    expect(warnings).toEqual([])
    expect(Buffer.compare(component, componentBytes(name))).toBe(0)
  },
)

/** What the first calls give. */
async function answersOf(component: Uint8Array, kind: string): Promise<unknown[]> {
  const answers = new HostAnswers()
  const guest = startGuest(await loadComponent(component), answers)
  const choices = new Choices(7)
  const next = kind.startsWith('bank') ? bankCall : counterCall
  return Array.from({ length: REBUILT_CALLS }, (_, index) => {
    answers.callNumber = index
    return guest.call(...next(choices))
  })
}

const hasRust = await findToolchain('.').then(
  () => true,
  () => false,
)

test.runIf(process.env.CI === 'true')('CI has a Rust compiler for WebAssembly', () => {
  expect(hasRust).toBe(true)
})

describe.runIf(hasRust)('Rust, built again', () => {
  test.each(['counter-rust', 'bank-rust'])(
    '%s answers as the committed one',
    {
      timeout: 600_000,
    },
    async (name) => {
      const folder = guests.find((guest) => guest.name === name)?.folder ?? ''
      const { component } = await buildRust({ dir: folder, write: false })
      expect(await answersOf(component, name)).toEqual(await answersOf(componentBytes(name), name))
    },
  )

  test('the chat room has its interface', { timeout: 600_000 }, async () => {
    const { component, interfaceId } = await buildRust({ dir: 'actors/chat-room', write: false })
    expect(interfaceId).toBe('loom:chat/room@0.1.0')
    const names = (loaded: Awaited<ReturnType<typeof loadComponent>>): string[] =>
      loaded.exports.map(({ func }) => func.name)
    expect(names(await loadComponent(component))).toEqual(
      names(await loadComponent(componentBytes('chat-room'))),
    )
  })
})

const hasWasip2 = await findToolchain('.', TARGETS[1]).then(
  () => true,
  () => false,
)

describe.runIf(hasWasip2)('Rust for wasm32-wasip2', () => {
  test('the bank answers as for wasm32-unknown-unknown', { timeout: 600_000 }, async () => {
    const options = { dir: 'actors/bank-rust', write: false, target: TARGETS[1] }
    const { component } = await buildRust(options)
    expect(await answersOf(component, 'bank')).toEqual(
      await answersOf(componentBytes('bank-rust'), 'bank'),
    )
  })
})
