import { expect, test } from 'vitest'
import { parseCallArgument } from '../../../host/cli/values.ts'

test.each([
  ['5', 5],
  ['-5', -5],
  ['0', 0],
  ['1.5', 1.5],
  ['true', true],
  ['null', null],
  ['"5"', '5'],
  ['[1,"a"]', [1, 'a']],
  ['{"a":1}', { a: 1 }],
])('an argument that is JSON is read as JSON: %s', (text, value) => {
  expect(parseCallArgument(text)).toEqual(value)
})

test.each(['hello', 'Infinity', '', '007', '[1,', "it's", 'ü'])(
  'any other argument is text: %s',
  (text) => {
    expect(parseCallArgument(text)).toBe(text)
  },
)

test.each(['18446744073709551615', '-9223372036854775808', '9007199254740992'])(
  'an integer that a number cannot hold keeps all of its digits: %s',
  (text) => {
    expect(parseCallArgument(text)).toBe(text)
  },
)
