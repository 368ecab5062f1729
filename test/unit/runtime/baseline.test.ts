// Aim: snapshots of actors whose components ask who they are at their start hold after a restart, in
// whichever order the actors come back. Method: quoters with ids of different lengths, which they keep
// in a field that is set at instantiation.
import { expect, test } from 'vitest'
import { fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { openComponentHost } from '../../support/components.ts'
import { temporaryFolder } from '../../support/host.ts'

const ids = ['b', 'a-customer-with-a-rather-long-name', 'cc']

test('a snapshot restores the same memory, whichever actor was started first', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  for (let round = 0; round < 4; round++) {
    const runtime = await openComponentHost({ store, blobs })
    const order = round % 2 === 0 ? ids : [...ids].reverse()
    for (const id of order) {
      const quoter = await runtime.getActor(id, 'Quoter')
      expect(await quoter.call('offers')).toHaveLength(round)
      await quoter.call('offer', `S${round}`, 1)
      const live = await runtime.describeActor(id, 'Quoter')
      const inspector = await openInspector({ store, blobs })
      const report = await inspector.replay({ type: 'Quoter', id })
      expect([id, round, report.stateHash]).toEqual([id, round, live.stateHash])
    }
    await runtime.close()
  }
})
