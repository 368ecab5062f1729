// Aim: every row of the table in host/actor/journal/recovery.ts. Method: one actor with snapshots at seq 3
// and 6 and two entries behind them, read through a driver that damages it; a second actor, whole, must
// not be harmed.
import { beforeEach, describe, expect, test } from 'vitest'
import { decodeSnapshot, encodeSnapshot } from '../../../host/actor/journal/snapshot.ts'
import { memory, openInspector } from '../../../host/index.ts'
import { decodeEntry, encodeEntry } from '../../../host/journal/codec.ts'
import { type Damage, type DamagingDriver, damagingDriver } from '../../support/damaging-driver.ts'
import { errorOf, openHost } from '../../support/host.ts'

const TURNS = 7
let store = memory()
let stateHash = ''

beforeEach(async () => {
  store = memory()
  const runtime = await openHost({ store, limits: { snapshotIntervalTurns: 3 } })
  for (const id of ['hurt', 'whole'])
    for (let turn = 1; turn <= TURNS; turn++)
      await (await runtime.getActor(id, 'Ledger')).call('add', turn)
  stateHash = (await runtime.describeActor('hurt', 'Ledger')).stateHash
  store.crash()
})

async function recovered(damage: Damage): Promise<DamagingDriver> {
  const driver = damagingDriver(store, 'hurt', damage)
  const runtime = await openHost({ store: driver })
  expect((await runtime.describeActor('hurt', 'Ledger')).stateHash).toBe(stateHash)
  return driver
}

async function quarantined(damage: Damage): Promise<Error & { data?: unknown }> {
  const runtime = await openHost({ store: damagingDriver(store, 'hurt', damage) })
  const error = await errorOf(runtime.getActor('hurt', 'Ledger'))
  expect(error.code).toBe('ERR_QUARANTINED')
  const whole = await runtime.getActor('whole', 'Ledger')
  expect(await whole.call('total')).toBe(28)
  expect((await errorOf(runtime.getActor('hurt', 'Ledger'))).code).toBe('ERR_QUARANTINED')
  return error
}

/** Another amount in entry 2: its turn then gives another result than the journal says. */
const altered: Damage['rewrite'] = ({ seq, bytes }) => {
  const entry = decodeEntry(seq, bytes)
  if (seq !== 2 || entry.kind !== 'turn') return bytes
  return encodeEntry(seq, { ...entry, args: [1_000] })
}

const both = new Set([3, 6])

async function snapshotAt(seq: number): Promise<Uint8Array | undefined> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const log = await reader.openLog({ type: 'Ledger', id: 'hurt' })
  return (await log.readSnapshot(seq))?.bytes
}

describe('recovery', () => {
  test('without damage restores the newest snapshot and replays the suffix', async () => {
    expect((await recovered({})).rejected).toEqual([])
  })

  test('does not need entries that a snapshot covers', async () => {
    expect((await recovered({ entries: new Set([1, 2]) })).rejected).toEqual([])
  })

  test('rejects a damaged snapshot and takes the next older one', async () => {
    expect((await recovered({ snapshots: new Set([6]) })).rejected).toEqual([6])
  })

  test('rejects all damaged snapshots and replays from the first entry', async () => {
    expect((await recovered({ snapshots: both })).rejected).toEqual([6, 3])
  })

  test.each([
    ['life', { incarnation: 'another' }],
    ['component', { digest: 'sha256:another' }],
  ])('rejects a snapshot of another %s', async (_, foreign) => {
    const rewriteSnapshot: Damage['rewriteSnapshot'] = ({ seq, bytes }) =>
      seq === 6 ? encodeSnapshot({ ...decodeSnapshot(seq, bytes), ...foreign }) : bytes
    expect((await recovered({ rewriteSnapshot })).rejected).toEqual([6])
  })

  test('rejects a snapshot from which the suffix diverges, and replays from an older one', async () => {
    const newest = decodeSnapshot(6, (await snapshotAt(6)) ?? new Uint8Array())
    const older = decodeSnapshot(3, (await snapshotAt(3)) ?? new Uint8Array())
    const rewriteSnapshot: Damage['rewriteSnapshot'] = ({ seq, bytes }) =>
      seq === 6 ? encodeSnapshot({ ...newest, image: older.image }) : bytes
    expect((await recovered({ rewriteSnapshot })).rejected).toEqual([6])
  })

  test('remembers rejections', async () => {
    await recovered({ snapshots: new Set([6]) })
    store.crash()
    expect((await recovered({ snapshots: new Set([6]) })).rejected).toEqual([])
  })

  test('quarantines a damaged entry of the suffix, naming actor and seq', async () => {
    const error = await quarantined({ entries: new Set([7]) })
    expect(error.message).toContain('Ledger/hurt')
    expect(error.message).toContain('journal entry 7 is damaged')
    expect(error).toMatchObject({ data: { seq: 7, reason: 'ERR_JOURNAL_CORRUPT' } })
  })

  test('quarantines a damaged first entry', async () => {
    expect((await quarantined({ entries: new Set([0]) })).message).toContain('entry 0')
  })

  test('quarantines a journal with a missing end', async () => {
    expect((await quarantined({ missingFrom: 7 })).message).toContain(
      'entry 7: the entry is missing',
    )
  })

  test('quarantines a divergence, saying what was expected and what came', async () => {
    const error = await quarantined({ snapshots: both, rewrite: altered })
    expect(error).toMatchObject({ data: { seq: 2, expected: '3', got: '1001' } })
  })
})

describe('the inspector', () => {
  const key = { type: 'Ledger', id: 'hurt' }

  test('reads a journal up to the damaged entry, and names it', async () => {
    const damaged = damagingDriver(store, 'hurt', { entries: new Set([4]) })
    const inspector = await openInspector({ store: damaged, blobs: null as never })
    const seqs: number[] = []
    const read = async (): Promise<void> => {
      for await (const line of inspector.journal(key)) seqs.push(line.seq)
    }
    expect(await errorOf(read())).toMatchObject({ code: 'ERR_JOURNAL_CORRUPT', data: { seq: 4 } })
    expect(seqs).toEqual([0, 1, 2, 3])
  })

  test('says that there is no such actor', async () => {
    const inspector = await openInspector({ store, blobs: null as never })
    const error = await errorOf(inspector.replay({ type: 'Ledger', id: 'none' }))
    expect(error).toMatchObject({
      code: 'ERR_ACTOR_UNKNOWN',
      message: 'Ledger/none has no journal',
    })
  })
})
