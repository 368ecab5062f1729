// Aim: whatever is invalid is refused when a component is loaded, whether or not an instance would ever meet it, and
// the refusal names the thing and what was expected. Method: components written by hand, a rule at a time; the
// toolchain's own validator (wasm-tools) must refuse each as well.
import { componentWit, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { loadComponent } from '../../../../host/component/load.ts'
import { RULES } from './cases.ts'

async function refusal(bytes: Uint8Array): Promise<unknown> {
  return await loadComponent(bytes).then(
    () => null,
    (error: unknown) => error,
  )
}

/** Where wasm-tools says that the component is invalid; null where it does not. */
async function judged(bytes: Uint8Array): Promise<string | null> {
  return await componentWit(bytes).then(
    () => null,
    (error: { payload?: string }) =>
      /\(at offset 0x[0-9a-f]+\)/.exec(String(error.payload))?.[0] ?? null,
  )
}

/** This call of the toolchain leaves the code of core modules alone. */
const CODE = 'code of a module that no instance needs'

describe.each(RULES)('$rule', ({ cases }) => {
  test.each(cases)('%s', async (what, text, message) => {
    const bytes = await parse(`(component ${text})`)
    expect(await refusal(bytes)).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining(message),
      data: what === CODE ? {} : { offset: expect.any(Number) },
    })
    if (what !== CODE) expect(await judged(bytes)).not.toBeNull()
  })
})
