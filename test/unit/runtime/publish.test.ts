// Aim: what is pushed can be called; what cannot leaves nothing behind.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { fsBlobs, publishComponent } from '../../../host/index.ts'
import { componentBytes } from '../../support/components.ts'
import { errorOf, temporaryFolder } from '../../support/host.ts'

describe('publishing', () => {
  test('names the type and the file, and tells the methods', async () => {
    const blobs = fsBlobs(temporaryFolder())
    const bytes = componentBytes('counter')
    const published = await publishComponent({
      blobs,
      bytes,
      typeName: 'Counter',
      fileName: 'counter.wasm',
    })
    expect(published.methods).toContainEqual({
      name: 'increment',
      signature: 'func(by: u32) -> u64',
    })
    const { digest } = published
    expect(await blobs.names()).toEqual([
      { name: 'counter.wasm', digest },
      { name: 'types/Counter', digest },
    ])
  })

  test('refuses a component without a method, and stores nothing', async () => {
    const blobs = fsBlobs(temporaryFolder())
    const bytes = await parse('(component)')
    const error = await errorOf(publishComponent({ blobs, bytes, typeName: 'Empty' }))
    expect(error).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining('exports no function'),
    })
    expect(await blobs.names()).toEqual([])
  })
})
