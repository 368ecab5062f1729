import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { withActor } from './actor-folder.ts'

const TSC = path.resolve('node_modules/typescript/bin/tsc')

/** Throws with what TypeScript says of the folder. */
function typeCheck(dir: string): void {
  try {
    execFileSync(process.execPath, [TSC, '-p', dir], { stdio: 'pipe' })
  } catch (error) {
    throw new Error(String((error as { stdout: Buffer }).stdout))
  }
}

test.each(['actors/quoter', 'actors/bank', 'actors/rate-limiter'])(
  '%s, which the compiler accepts, has no errors in a TypeScript editor',
  async (dir) => {
    await buildActor({ dir })
    typeCheck(dir)
  },
)

test('declarations of a .wit file hold functions, resources, types and interfaces with comments', async () => {
  const source = `
    import { Api, Blob, Color, FailureLate, Failure, Point, latest } from "./host/api";
    @component() export class A extends Api {
      latest(by: Color): Point { return new Point(1, Blob.open("x").read(2).length); }
      fail(): Failure { return new FailureLate(latest(Color.Red).y); }
    }`
  const wit = `package a:b@1.0.0;
    interface host { use types.{color, point};
      /// A blob.
      resource blob { /// Reads.
        read: func(n: u32) -> string; open: static func(name: string) -> blob; }
      take: func(b: blob) -> option<blob>; }
    interface types { enum color { red, blue } record point { x: u32, y: u32 } variant failure { never, late(u32) } }
    /// What we export.
    interface api { use types.{color, point, failure}; latest: func(by: color) -> point; fail: func() -> failure; }`
  await withActor({ 'index.ts': source, 'host/api.wit': wit }, async (dir) => {
    await buildActor({ dir })
    const declared = await readFile(`${dir}/build/host/api.d.ts`, 'utf8')
    expect(declared).toContain('/** A blob. */\nexport class Blob {\n  private constructor()\n')
    expect(declared).toContain('  /** Reads. */\n  read(n: u32): string\n')
    expect(declared).toContain('/** What we export. */\nexport abstract class Api {\n')
    const library = path.resolve('guest-sdk/assemblyscript/assembly/loom.d.ts')
    const config = {
      extends: path.resolve('node_modules/assemblyscript/std/assembly.json'),
      compilerOptions: {
        noEmit: true,
        rootDirs: ['.', 'build'],
        paths: { loom: [library], 'loom/*': [library] },
      },
      include: ['*.ts', 'build/**/*.d.ts', library],
    }
    await writeFile(`${dir}/tsconfig.json`, JSON.stringify(config))
    typeCheck(dir)
  })
})

test('the declarations for editors name exactly what the library exports', async () => {
  const folder = 'guest-sdk/assemblyscript/assembly'
  const declarations = await readFile(`${folder}/loom.d.ts`, 'utf8')
  for (const [, name = '', body = ''] of declarations.matchAll(
    /^declare module "(.*?)" \{\n([\s\S]*?)^\}/gm,
  )) {
    const declared = [
      ...body.matchAll(/^ {2}export (?:(?:abstract )?class|enum|function|type) (\w+)/gm),
    ]
    const source = await readFile(`${folder}/${name.split('/')[1] ?? 'index'}.ts`, 'utf8')
    const exported = [
      ...[...source.matchAll(/^export (?:class|enum|function|type) (\w+)/gm)].map(([, one]) => one),
      ...[...source.matchAll(/^export \{(.*?)\}/gm)].flatMap(([, list = '']) => list.split(',')),
    ].map((one) => one?.trim().replace(/^\w+ as /, ''))
    expect([name, ...declared.map(([, one]) => one)].sort()).toEqual([name, ...exported].sort())
  }
})
