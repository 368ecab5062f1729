// The courier (test/fixtures/guests/courier): a component that keeps values and deals with other actors, through
// the host's own interfaces. Its golden journal holds what entries of format 2 can hold.
import { readFileSync } from 'node:fs'
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools'

const FOLDER = 'test/fixtures/guests/courier'
export const COURIER_WASM = `${FOLDER}/courier.wasm`

export async function buildCourier(): Promise<Uint8Array> {
  const binary = await parse(readFileSync(`${FOLDER}/courier.wat`, 'utf8'))
  const witSource = readFileSync(`${FOLDER}/courier.wit`, 'utf8')
  return await componentNew(await componentEmbed({ binary, witSource, world: 'courier' }))
}
