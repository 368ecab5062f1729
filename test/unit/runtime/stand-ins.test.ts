// Aim: what an embedder provides in the place of a default (an environment, files) is answered from the journal where the
// embedder is not: by an inspector, or when it provides it no more. Method: an actor that keeps the sizes of its environment.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'
import { fsBlobs, memory, openInspector, type Runtime } from '../../../host/index.ts'
import { openHost, temporaryFolder } from '../../support/host.ts'
import { ALLOCATOR } from '../../support/wat.ts'

const ENVIRONMENT = 'wasi:cli/environment@0.2.0'
const COMPONENT = await parse(`(component
  (import "${ENVIRONMENT}" (instance $env
    (export "get-environment" (func (result (list (tuple string string)))))))
  (core module $lib (memory (export "memory") 1) ${ALLOCATOR})
  (core instance $lib (instantiate $lib))
  (core func $get (canon lower (func $env "get-environment") (memory (core memory $lib "memory"))
    (realloc (core func $lib "realloc"))))
  (core module $m (import "lib" "memory" (memory 1)) (import "env" "get" (func $get (param i32)))
    (global $sum (mut i32) (i32.const 0))
    (func (export "count") (result i32)
      (call $get (i32.const 8))
      (global.set $sum (i32.add (global.get $sum) (i32.load (i32.const 12))))
      (global.get $sum)))
  (core instance $i (instantiate $m (with "lib" (instance $lib))
    (with "env" (instance (export "get" (func $get))))))
  (func (export "count") (result u32) (canon lift (core func $i "count"))))`)

async function open(options: Parameters<typeof openHost>[0], provides: boolean): Promise<Runtime> {
  const runtime = await openHost(options)
  if (provides)
    runtime.provide(ENVIRONMENT, {
      getEnvironment: () => [
        ['a', '1'],
        ['b', '2'],
      ],
    })
  await runtime.registerActorType('Counting', { type: 'wasm', component: COMPONENT })
  return runtime
}

const count = async (runtime: Runtime): Promise<unknown> =>
  (await runtime.getActor('a', 'Counting')).call('count')

test('an inspector, which provides nothing, replays what an embedder answered', async () => {
  const options = { store: memory(), blobs: fsBlobs(temporaryFolder()) }
  const runtime = await open(options, true)
  expect([await count(runtime), await count(runtime)]).toEqual([2, 4])
  const { stateHash } = await runtime.describeActor('a', 'Counting')
  const inspector = await openInspector(options)
  const report = await inspector.replay({ type: 'Counting', id: 'a' })
  expect(report).toMatchObject({ turns: 2, stateHash })
})

test('so does a host that provides it no more; later turns get the default', async () => {
  const options = { store: memory(), blobs: fsBlobs(temporaryFolder()) }
  expect(await count(await open(options, true))).toBe(2)
  options.store.crash()
  const second = await open(options, false)
  expect(await count(second)).toBe(2)
  options.store.crash()
  expect(await count(await open(options, false))).toBe(2)
})
