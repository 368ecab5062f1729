// Aim: names that reach a store key are bounded and well-formed, and the error says what was expected.
import { expect, it } from 'vitest'
import { LoomError } from '../../host/base/errors.ts'
import { REMINDER_NAME_SIZE_MAX_BYTES, STATE_KEY_SIZE_MAX_BYTES } from '../../host/base/limits.ts'
import { checkReminderName, checkStateKey } from '../../host/base/names.ts'

const expected = (check: () => void): void => {
  expect(check).toThrow(LoomError)
  expect(check).toThrow(/expected 1 to \d+ bytes/)
}

it('takes any well-formed text as a key of keyed state, up to its size in UTF-8', () => {
  for (const good of ['a', '\0', 'a\nb', 'ж'.repeat(STATE_KEY_SIZE_MAX_BYTES / 2)])
    expect(() => checkStateKey(good)).not.toThrow()
  const long = 'x'.repeat(STATE_KEY_SIZE_MAX_BYTES + 1)
  for (const bad of ['', long, 'ж'.repeat(STATE_KEY_SIZE_MAX_BYTES), '\ud800', 7, null])
    expected(() => checkStateKey(bad))
})

it('takes text without control characters as the name of a reminder', () => {
  for (const good of ['a', 'a/b c', 'x'.repeat(REMINDER_NAME_SIZE_MAX_BYTES)])
    expect(() => checkReminderName(good)).not.toThrow()
  const long = 'x'.repeat(REMINDER_NAME_SIZE_MAX_BYTES + 1)
  for (const bad of ['', long, 'a\nb', '\ud800', 7, undefined])
    expected(() => checkReminderName(bad))
})
