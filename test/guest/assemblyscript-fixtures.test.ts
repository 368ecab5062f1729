import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'

const folders = [
  'actors/bank',
  'actors/counter',
  'actors/quoter',
  'actors/rate-limiter',
  'test/fixtures/actors/echo',
  'test/fixtures/actors/faulty',
  'test/fixtures/actors/probe-assemblyscript',
]

describe.each(folders)('%s', (dir) => {
  const name = path.basename(dir)

  test('gives the committed component and WIT, byte for byte', async () => {
    const { component, wit } = await buildActor({ dir, write: false })
    expect(wit).toBe(await readFile(`${dir}/${name}.wit`, 'utf8'))
    const committed = await readFile(`test/fixtures/components/${name}.wasm`)
    expect(Buffer.compare(component, committed)).toBe(0)
  })
})
