import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'

test('an actor that the compiler accepts has no errors in a TypeScript editor', async () => {
  const dir = 'actors/quoter'
  const { files } = await buildActor({ dir })
  expect(files.component).toBe(path.resolve(dir, 'build/quoter.wasm'))
  expect(await readFile(`${dir}/build/host/quotes.d.ts`, 'utf8')).toContain(
    'export function latest(symbol: string): f64',
  )
  const tsc = path.resolve('node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', dir], { stdio: 'pipe' })
})

test('the declarations for editors name exactly what the library exports', async () => {
  const folder = 'guest-sdk/assemblyscript/assembly'
  const declarations = await readFile(`${folder}/loom.d.ts`, 'utf8')
  for (const [, name = '', body = ''] of declarations.matchAll(
    /^declare module "(.*?)" \{\n([\s\S]*?)^\}/gm,
  )) {
    const declared = [...body.matchAll(/^ {2}export (?:class|enum|function|type) (\w+)/gm)]
    const source = await readFile(`${folder}/${name.split('/')[1] ?? 'index'}.ts`, 'utf8')
    const exported = [
      ...[...source.matchAll(/^export (?:class|enum|function|type) (\w+)/gm)].map(([, one]) => one),
      ...[...source.matchAll(/^export \{(.*?)\}/gm)].flatMap(([, list = '']) => list.split(',')),
    ].map((one) => one?.trim())
    expect([name, ...declared.map(([, one]) => one)].sort()).toEqual([name, ...exported].sort())
  }
})
