// Aim: what an actor commits never outlives what it rests on in another's journal. Method: journals that become
// durable or fail when the test says so; how actors use it is simulated in test/sim/effects.test.ts.
import { expect, test } from 'vitest'
import { type Place, SharedFate } from '../../../host/actor/journal/shared-fate.ts'
import { LoomError } from '../../../host/base/errors.ts'

const key = (id: string) => ({ type: 'Account', id })
const lost = new LoomError('ERR_STORE', 'EIO')

function journal(id: string): { seqDurable: number; broken: LoomError | null } & Place['tail'] {
  return { key: key(id), seqDurable: 0, broken: null }
}

function refusal(act: () => void): unknown {
  try {
    act()
    return null
  } catch (error) {
    return (error as LoomError).code
  }
}

test('a commit is refused, now and ever after, when what it rests on is lost before it is appended', () => {
  const fate = new SharedFate(key('a'))
  const other = journal('b')
  fate.restOn({ tail: other, seq: 3 })
  other.broken = lost
  expect(refusal(() => fate.commit())).toBe('ERR_COMMIT')
  // The journal of the actor that was opened anew is another one: this one stays broken.
  expect(refusal(() => fate.commit())).toBe('ERR_COMMIT')
})

test('what became durable before the other journal failed is no reason to refuse', () => {
  const fate = new SharedFate(key('a'))
  const other = journal('b')
  fate.restOn({ tail: other, seq: 3 })
  other.seqDurable = 3
  other.broken = lost
  expect(refusal(() => fate.commit())).toBeNull()
})

test('all that was learnt since the last commit counts, and nothing from before', () => {
  const fate = new SharedFate(key('a'))
  const [first, second] = [journal('b'), journal('c')]
  fate.restOn({ tail: first, seq: 1 })
  fate.restOn({ tail: second, seq: 1 })
  expect(refusal(() => fate.commit())).toBeNull()
  // The commit waits behind both: should one of them fail, so does the commit (S7), and all later ones (S4).
  first.broken = lost
  expect(refusal(() => fate.commit())).toBeNull()
  fate.restOn({ tail: second, seq: 2 })
  second.broken = lost
  expect(refusal(() => fate.commit())).toBe('ERR_COMMIT')
})

test('nothing begins to rest on what is lost', () => {
  const other = journal('b')
  other.broken = lost
  const fate = new SharedFate(key('a'))
  expect(refusal(() => fate.restOn({ tail: other, seq: 1 }))).toBe('ERR_COMMIT')
  expect(refusal(() => fate.commit())).toBeNull()
})
