// Builds test/fixtures/components/libc.wasm from test/fixtures/guests/libc, and says what is missing.
//
//   node scripts/build-libc-fixture.mjs
//
// Needs, none of which the tests need:
//   the npm package @yowasp/clang, clang with wasi-libc  (YOWASP_CLANG: a folder whose node_modules has it)
//   the preview 1 adapter                                (WASI_ADAPTER: in lib/ of @bytecodealliance/jco)
// Another compiler gives other bytes; the tests depend on none of them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const root = path.resolve(import.meta.dirname, '..')
const GUEST = path.join(root, 'test/fixtures/guests/libc')
const OUTPUT = 'test/fixtures/components/libc.wasm'
const OPTIONS = '-mexec-model=reactor -Os -fvisibility=hidden -o out.wasm guest.c'
const LINKER = '-Wl,--no-entry,--strip-all,-z,stack-size=32768,--stack-first'

const { YOWASP_CLANG: folder = root, WASI_ADAPTER: adapter } = process.env

function findClang() {
  try {
    return createRequire(path.join(folder, 'package.json')).resolve('@yowasp/clang')
  } catch {
    return undefined
  }
}

const missing = []
const clang = findClang()
if (clang === undefined)
  missing.push(`the npm package @yowasp/clang in ${folder} (set YOWASP_CLANG)`)
if (!adapter || !existsSync(adapter))
  missing.push('the adapter wasi_snapshot_preview1.reactor.wasm (set WASI_ADAPTER)')
if (missing.length > 0) {
  for (const what of missing) console.error(`build-libc-fixture: missing ${what}`)
  process.exit(69)
}

const { commands } = await import(pathToFileURL(clang).href)
const files = { 'guest.c': readFileSync(path.join(GUEST, 'guest.c'), 'utf8') }
const stderr = (bytes) => bytes && process.stderr.write(bytes)
const { 'out.wasm': binary } = await commands.clang([...OPTIONS.split(' '), LINKER], files, {
  stderr,
})

const { componentEmbed, componentNew } = await import('@bytecodealliance/jco-transpile/wasm-tools')
const witSource = readFileSync(path.join(GUEST, 'world.wit'), 'utf8')
const embedded = await componentEmbed({ binary, witSource, world: 'libc-actor' })
const component = await componentNew(embedded, [['wasi_snapshot_preview1', readFileSync(adapter)]])
writeFileSync(path.join(root, OUTPUT), component)
console.log(`${OUTPUT} ${component.length} B`)
