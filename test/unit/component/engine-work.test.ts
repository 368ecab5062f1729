// Aim: no small component keeps a compiler busy for minutes, or fills the process with code: what an engine does beside
// the instructions is counted, and refused beyond all proportion. Method: the functions that take V8 longest for their
// size, each a second or more to compile if it were let through; and their counts, written out by hand for small ones.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { meterModule } from '../../../host/component/core/fuel.ts'
import { readCoreModule } from '../../../host/component/core/module.ts'
import { loadComponent } from '../../../host/component/load.ts'
import { Writer } from '../../../host/component/writer.ts'
import { loadWat } from '../../support/wat.ts'

const many = (what: string, count: number): string => Array(count).fill(what).join(' ')
const component = (core: string): string =>
  `(component (core module $m ${core}) (core instance $i (instantiate $m))
    (func (export "f") (canon lift (core func $i "f"))))`

async function workOf(core: string): Promise<number> {
  const binary = await parse(`(module ${core})`)
  return meterModule(binary, readCoreModule(binary, 0, binary.length)).work
}

const WIDE = `(type $wide (func (param ${many('i64', 900)}) (result ${many('i64', 900)})))`
const filled = (body: string): string =>
  `(func (export "f") ${many('(i64.const 3)', 900)} ${body} ${many('(drop)', 900)})`

const LONG: Readonly<Record<string, string>> = {
  'branches over many operands': `(func (export "f") ${many('(i64.const 3)', 9_000)}
    ${many('(block (br_if 0 (i32.const 0)))', 9_000)} ${many('(drop)', 9_000)})`,
  'branches over many locals': `(func (export "f") (local ${many('i64', 40_000)})
    ${many('(block (br_if 0 (i32.const 0)))', 1_000)})`,
  'branches that carry many values': `${WIDE} ${filled(
    `(block (type $wide) ${many('(br_if 0 (i32.const 0))', 15_000)})`,
  )}`,
  'blocks that carry many values': `${WIDE} ${filled(many('(loop (type $wide))', 15_000))}`,
  'calls that carry many values': `${WIDE} (func $w (type $wide) ${many('(i64.const 1)', 900)})
    ${filled(many('(call $w)', 50))}`,
  'branches to one label': `(func (export "f")
    (block ${many('(br_if 0 (i32.const 0))', 12_000)}))`,
  'labels of a table': `(func (export "f") (local ${many('i64', 30_000)})
    (block (br_table ${many('0', 5_000)} (i32.const 0))))`,
}

/** A component of `count` functions that declare 40,000 references each, in six bytes. */
function ofLocals(count: number): Uint8Array {
  const out = new Writer()
  const section = (to: Writer, id: number, ...body: readonly number[]): void => {
    to.byte(id)
    to.u32(body.length)
    to.bytes(Uint8Array.from(body))
  }
  const core = new Writer()
  core.code(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
  section(core, 1, 0x01, 0x60, 0x00, 0x00)
  const leb = [(count & 0x7f) | 0x80, count >> 7]
  section(core, 3, ...leb, ...Array<number>(count).fill(0x00))
  const body = [0x06, 0x01, 0xc0, 0xb8, 0x02, 0x6f, 0x0b]
  section(core, 10, ...leb, ...Array<number[]>(count).fill(body).flat())
  out.code(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00, 0x01)
  out.u32(core.written.length)
  out.bytes(core.written)
  section(out, 2, 0x01, 0x00, 0x00, 0x00)
  return out.written.slice()
}

describe('what a compiler would work on for long', () => {
  test('is refused: locals that nobody uses', async () => {
    await expect(loadComponent(ofLocals(200))).resolves.toBeDefined()
    await expect(loadComponent(ofLocals(400))).rejects.toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
      message: expect.stringContaining('out of all proportion to its size'),
    })
  })

  test.each(Object.entries(LONG))(
    'is refused: %s',
    async (_, core) => {
      await expect(loadWat(component(core))).rejects.toMatchObject({
        code: 'ERR_COMPONENT_FEATURE',
        message: expect.stringContaining('out of all proportion to its size'),
      })
    },
    60_000,
  )

  test('is refused where many modules share it', async () => {
    const core = `(func (export "f") (local ${many('i64', 30_000)}) ${many('(block)', 500)})`
    const modules = (count: number) =>
      `(component ${many(`(core module ${core})`, count)}
        (core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))`
    await expect(loadWat(modules(1))).resolves.toBeDefined()
    const used = `(component ${Array.from(
      { length: 4 },
      (_, at) => `(core module $m${at} ${core}) (core instance $i${at} (instantiate $m${at}))
        (func (export "f${at}") (canon lift (core func $i${at} "f")))`,
    ).join(' ')})`
    await expect(loadWat(used)).rejects.toMatchObject({ code: 'ERR_COMPONENT_FEATURE' })
  })
})

describe('work', () => {
  test('of plain code is none', async () => {
    expect(await workOf('(func (drop (i32.add (i32.const 1) (i32.const 2))))')).toBe(0)
  })

  test('of a block is what lies around it, each time', async () => {
    const around = '(i32.const 1) (i32.const 2)'
    // The block, its end and the function's: two operands, two operands, none.
    expect(await workOf(`(func ${around} (block) drop drop)`)).toBe(4)
    expect(await workOf(`(func ${around} (block (br 0)) drop drop)`)).toBe(6)
    // Locals are declared once, and settled three times.
    expect(await workOf(`(func (local i32 i64) (block))`)).toBe(4 * 2 + 3 * 2)
  })

  test('of a block begins below its parameters and ends above its results', async () => {
    const block = '(block (param i32) (result i32 i32) (i32.const 5))'
    // 1 + 4 at the block, 2 + 8 at its end, nothing at the function's.
    expect(await workOf(`(func (i32.const 1) ${block} drop drop)`)).toBe(1 + 4 + 2 + 8)
  })

  test('of branches to one label grows with those before', async () => {
    const block = (count: number) => `(func (block ${many('(br_if 0 (i32.const 0))', count)}))`
    expect(await workOf(block(1))).toBe(0)
    expect(await workOf(block(10))).toBe((10 * 9) / 2)
  })

  test('of exceptions is what they carry, also where it is not known which', async () => {
    const tags = '(tag $few (param i32)) (tag $many (param i64 i64 i64))'
    // The try, its catch, its end and the function's: what the exception carries is settled at the catch.
    const caught = (action: string) =>
      `${tags} (func try (throw $few (i32.const 1)) catch $many ${action} end)`
    expect(await workOf(caught('(drop) (drop) (drop)'))).toBe(4 * 3 + 1)
  })

  test('behind code that leaves is counted from the block on', async () => {
    const arms = '(if (i32.const 1) (then (unreachable)) (else (drop (i32.const 1))))'
    expect(await workOf(`(func (i32.const 7) ${arms} drop)`)).toBe(3)
  })
})
