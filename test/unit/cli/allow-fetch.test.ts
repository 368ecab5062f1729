// Aim: rules on the command line become the policies of the types that they name.
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { allowFetchOption } from '../../../host/cli/options.ts'

function parsed(...rules: string[]): unknown {
  const command = new Command().addOption(allowFetchOption()).exitOverride()
  command.configureOutput({ writeErr: () => {} })
  command.parse(
    rules.flatMap((rule) => ['--allow-fetch', rule]),
    { from: 'user' },
  )
  return command.opts().allowFetch
}

test('a rule names a type, methods, an origin and addresses; rules of one type add up', () => {
  expect(
    parsed(
      'Quoter https://a.example',
      'Quoter GET POST http://b.internal:80 10.0.0.0/8',
      'B https://*',
    ),
  ).toEqual({
    Quoter: {
      allow: [
        { origin: 'https://a.example', addresses: [] },
        { origin: 'http://b.internal:80', methods: ['GET', 'POST'], addresses: ['10.0.0.0/8'] },
      ],
    },
    B: { allow: [{ origin: 'https://*', addresses: [] }] },
  })
})

test.each(['', 'Quoter', 'Quoter GET', 'Quoter a.example'])(
  'a rule without an origin is refused: %j',
  (rule) => {
    expect(() => parsed(rule)).toThrow(/expected such as/)
  },
)
