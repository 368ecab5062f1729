import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  ERRORS,
  type ErrorCode,
  isLoomError,
  LoomError,
  toLoomError,
} from '../../host/base/errors.ts'
import { ERRORS_DOC, renderErrorsDoc } from '../../scripts/gen-errors-doc.ts'

/** 1 and 2 as everywhere; the others by sysexits.h. */
const EXITS_OF_KIND = {
  usage: [2, 65, 66, 69, 75],
  busy: [69, 75],
  lost: [75],
  guest: [70],
  divergence: [1],
  corrupt: [1, 65],
  fatal: [74],
  bug: [70],
} as const

const STATUSES_OF_KIND = {
  usage: [400, 404, 409, 413, 422, 500],
  busy: [502, 503, 504],
  lost: [503],
  guest: [500],
  divergence: [409],
  corrupt: [409, 500],
  fatal: [503],
  bug: [500],
} as const

test.each(Object.keys(ERRORS) as ErrorCode[])(
  '%s has a kind, a status and an exit code that fit each other',
  (code) => {
    const { kind, status, exit, summary } = ERRORS[code]
    expect(code).toMatch(/^ERR_[A-Z]+(_[A-Z]+)*$/)
    expect(STATUSES_OF_KIND[kind]).toContain(status)
    expect(EXITS_OF_KIND[kind]).toContain(exit)
    expect(summary).toMatch(/^[a-zA-Z].*[^.]$/)
    const error = new LoomError(code, 'message', { data: { seq: 1 } })
    expect({ kind: error.kind, status: error.status, exit: error.exit }).toEqual({
      kind,
      status,
      exit,
    })
    expect(isLoomError(error)).toBe(true)
    expect(toLoomError(error)).toBe(error)
  },
)

test('docs/errors.md is the table; `npm run docs` writes it', () => {
  const file = path.resolve(import.meta.dirname, '../..', ERRORS_DOC)
  expect(readFileSync(file, 'utf8')).toBe(renderErrorsDoc())
})

test('an error that is not a LoomError keeps its message and its cause', () => {
  const cause = new TypeError('x is not a function')
  const error = toLoomError(cause, 'ERR_STORE')
  expect([error.code, error.message, error.cause]).toEqual(['ERR_STORE', cause.message, cause])
  expect(isLoomError(cause)).toBe(false)
})
