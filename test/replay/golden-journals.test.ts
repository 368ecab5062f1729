// Aim: a journal that any released version wrote replays for ever (rule J6). Method: the journals under
// test/fixtures/journals, one folder per entry format, each with the component that it is pinned to and
// the hash of the state that it had when it was live. How they were made:
// scripts/record-golden-journals.ts. They are never made again.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { fsBlobs, memory, openInspector } from '../../host/index.ts'
import { decodeEntry, encodeEntry } from '../../host/journal/codec.ts'
import { isDetached } from '../../host/journal/detached.ts'
import type { ActorRecord } from '../../host/store/store.ts'
import { buildCourier, COURIER_WASM } from '../support/courier.ts'
import { errorOf, temporaryFolder } from '../support/host.ts'

const JOURNALS = path.resolve('test/fixtures/journals')

interface Golden {
  readonly record: ActorRecord
  readonly stateHash: string
  readonly entries: readonly string[]
  /** What entries of format 3 name. */
  readonly blobs?: readonly string[]
}

const goldens = readdirSync(JOURNALS).flatMap((version) =>
  readdirSync(path.join(JOURNALS, version))
    .filter((file) => file.endsWith('.json'))
    .map((file) => path.join(JOURNALS, version, file)),
)

async function openGolden(file: string, entries?: (golden: Golden) => readonly Uint8Array[]) {
  const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden
  const blobs = fsBlobs(temporaryFolder())
  await blobs.put(readFileSync(file.replace(/json$/, 'wasm')))
  for (const text of golden.blobs ?? []) await blobs.put(Buffer.from(text, 'base64'))
  const store = memory()
  const writer = await store.open({ wallMs: () => 0 })
  const log = await writer.openLog(golden.record)
  const bytes = entries?.(golden) ?? golden.entries.map((text) => Buffer.from(text, 'base64'))
  await log.append({ seq: 0, entries: bytes, create: golden.record })
  await writer.close()
  return { golden, inspector: await openInspector({ store, blobs }) }
}

describe('golden journals', () => {
  test('exist for every format', () => {
    expect(goldens.map((file) => path.relative(JOURNALS, file))).toEqual(
      expect.arrayContaining([
        'v1/counter.json',
        'v1/faulty.json',
        'v1/quoter.json',
        'v2/courier.json',
        'v3/courier.json',
      ]),
    )
  })

  test('of format 3 have payloads in blobs, and entries of every kind', () => {
    const golden = JSON.parse(
      readFileSync(path.join(JOURNALS, 'v3/courier.json'), 'utf8'),
    ) as Golden
    const detached = golden.entries.map((text) => Buffer.from(text, 'base64')).filter(isDetached)
    expect(detached).toHaveLength(golden.blobs?.length ?? 0)
    // created, turn, opened, closed
    expect(new Set(detached.map((bytes) => bytes[1]))).toEqual(new Set([1, 2, 3, 5]))
    expect(detached.length).toBeLessThan(golden.entries.length)
  })

  test('of format 2 are of a component that is what its source gives', async () => {
    const built = await buildCourier()
    expect(Buffer.compare(built, readFileSync(COURIER_WASM))).toBe(0)
    expect(Buffer.compare(built, readFileSync(path.join(JOURNALS, 'v2/courier.wasm')))).toBe(0)
  })

  test.each(goldens)('%s replays to the state that it had', async (file) => {
    const { golden, inspector } = await openGolden(file)
    const report = await inspector.replay(golden.record)
    expect(report.stateHash).toBe(golden.stateHash)
    expect(report.seqNext).toBe(golden.entries.length)
  })

  test.each(goldens)('%s with one argument changed is noticed', async (file) => {
    let changedSeq = 0
    const { golden, inspector } = await openGolden(file, ({ entries }) =>
      entries.map((text, seq) => {
        const bytes = Buffer.from(text, 'base64')
        if (isDetached(bytes)) return bytes
        const entry = decodeEntry(seq, bytes)
        const numeric = entry.kind === 'turn' && typeof entry.args[0] === 'number'
        if (changedSeq !== 0 || !numeric || entry.outcome.kind === 'failed') return bytes
        changedSeq = seq
        return encodeEntry(seq, {
          ...entry,
          args: [Number(entry.args[0]) + 1, ...entry.args.slice(1)],
        })
      }),
    )
    if (changedSeq === 0) return expect(file).toMatch(/quoter|waiter|courier/)
    const error = await errorOf(inspector.replay(golden.record))
    expect(error).toMatchObject({ code: 'ERR_DIVERGENCE', data: { seq: changedSeq } })
  })
})
