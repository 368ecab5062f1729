// Aim: code that grows a memory of another module is told that memory's own maximum, through however many modules it was
// passed on, so that a host without memory is never taken for it. Method: linked modules, grown past their maxima.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'
import { memoryMaxima } from '../../../host/component/link/memory-maxima.ts'
import { readComponent } from '../../../host/component/read.ts'
import { loadWat, runWat } from '../../support/wat.ts'

const LIBRARY = '(core module $lib (memory (export "memory") 1 3))'
/** Passes a memory on under another name, and asks for less than it is given. */
const PASSING = '(core module $pass (import "m" "memory" (memory 0)) (export "again" (memory 0)))'
const GROWING = `(core module $grow (import "m" "again" (memory 0))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`

const lifted = (instance: string, name = 'grow'): string => `
  (func (export "${name}") (param "pages" s32) (result s32) (canon lift (core func ${instance} "grow")))`

const CHAIN = `(component ${LIBRARY} ${PASSING} ${GROWING}
  (core instance $lib (instantiate $lib))
  (core instance $pass (instantiate $pass (with "m" (instance $lib))))
  (core instance $grow (instantiate $grow (with "m" (instance $pass))))
  ${lifted('$grow')})`

/** Two instances of one module, each with a memory of its own. */
const twice = (second: string): string => `(component ${GROWING}
  (core module $one (memory (export "again") 1 3)) (core module $two (memory (export "again") ${second}))
  (core instance $one (instantiate $one)) (core instance $two (instantiate $two))
  (core instance $a (instantiate $grow (with "m" (instance $one))))
  (core instance $b (instantiate $grow (with "m" (instance $two))))
  ${lifted('$a', 'one')} ${lifted('$b', 'two')})`

test('a memory is followed to where it is defined', async () => {
  const { link } = readComponent(await parse(CHAIN))
  expect(memoryMaxima(link)).toEqual([[], [3], [3]])
})

test('it grows so far, and no further', async () => {
  const { call } = await runWat(CHAIN)
  expect([call('grow', 3), call('grow', 1), call('grow', 1), call('grow', 1)]).toEqual([
    -1, 1, 2, -1,
  ])
})

test('instances of one module may have a memory each', async () => {
  const { call } = await runWat(twice('2 3'))
  expect([call('one', 2), call('two', 1), call('two', 1)]).toEqual([1, 2, -1])
})

test('but not of different maxima, where its code grows them', async () => {
  await expect(loadWat(twice('1'))).rejects.toMatchObject({
    code: 'ERR_COMPONENT_FEATURE',
    message: expect.stringContaining(
      'memory.grow of a memory whose maximum differs between instances',
    ),
  })
})
