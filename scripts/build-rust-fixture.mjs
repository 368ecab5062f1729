// Builds test/fixtures/components/rust-std.wasm from test/fixtures/guests/rust-std, and says what is missing.
//
//   node scripts/build-rust-fixture.mjs
//
// Needs, none of which the tests need:
//   rustc with the standard library of wasm32-wasip2   (RUSTC; `rustup target add wasm32-wasip2`)
//   a linker: wasm-ld, or rustup's rust-lld             (WASM_LD)
// Older compilers (1.85) need the preview 1 adapter as well (WASI_ADAPTER; in lib/ of @bytecodealliance/jco).
// Another compiler gives other bytes; the tests depend on none of them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const TARGET = 'wasm32-wasip2'
const GUEST = 'test/fixtures/guests/rust-std'
const OUTPUT = 'test/fixtures/components/rust-std.wasm'

const { env } = process
const rustc = env.RUSTC ?? 'rustc'
const missing = []

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
  })
  return { ok: error === undefined && status === 0, stdout: (stdout ?? '').trim(), stderr }
}

/** rustup's linker, or any wasm-ld. */
function findLinker(sysroot) {
  if (env.WASM_LD) return env.WASM_LD
  if (run('wasm-ld', ['--version']).ok) return 'wasm-ld'
  const folder = path.join(sysroot, 'lib/rustlib')
  const hosts = existsSync(folder) ? readdirSync(folder) : []
  return hosts.map((host) => path.join(folder, host, 'bin/rust-lld')).find(existsSync)
}

const version = run(rustc, ['--version'])
if (!version.ok) missing.push(`a Rust compiler: ${rustc} does not run (set RUSTC)`)
const sysroot = run(rustc, ['--print', 'sysroot']).stdout
if (version.ok && !run(rustc, ['--print', 'target-libdir', '--target', TARGET]).ok)
  missing.push(`a Rust compiler that knows ${TARGET}: ${version.stdout} does not`)
else if (version.ok) {
  const library = run(rustc, ['--print', 'target-libdir', '--target', TARGET]).stdout
  if (!existsSync(library) || !readdirSync(library).some((file) => file.startsWith('libstd-')))
    missing.push(`the standard library of ${TARGET} in ${library} (rustup target add ${TARGET})`)
}
const linker = findLinker(sysroot)
if (linker === undefined) missing.push('a linker: wasm-ld or rust-lld (set WASM_LD)')

if (missing.length > 0) {
  for (const what of missing) console.error(`build-rust-fixture: missing ${what}`)
  process.exit(69)
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'loom-rust-'))
const core = path.join(folder, 'core.wasm')
const compiled = spawnSync(
  rustc,
  [
    `${GUEST}/lib.rs`,
    ...['--target', TARGET, '--crate-type', 'cdylib', '--crate-name', 'rust_std'],
    ...['--edition', '2021', '-o', core],
    ...['opt-level=s', 'panic=abort', 'lto=fat', 'strip=symbols'].flatMap((flag) => ['-C', flag]),
    ...[`linker=${linker}`, 'linker-flavor=wasm-ld'].flatMap((flag) => ['-C', flag]),
    ...['-C', 'link-arg=-zstack-size=65536'],
  ],
  { cwd: root, stdio: 'inherit' },
)
if (compiled.status !== 0) process.exit(65)

const { componentEmbed, componentNew } = await import('@bytecodealliance/jco-transpile/wasm-tools')
const embedded = await componentEmbed({
  binary: readFileSync(core),
  witSource: readFileSync(path.join(root, GUEST, 'world.wit'), 'utf8'),
  world: 'rust-std',
})
const adapter = env.WASI_ADAPTER
const adapters = adapter ? [['wasi_snapshot_preview1', readFileSync(adapter)]] : []
const component = await componentNew(embedded, adapters)
writeFileSync(path.join(root, OUTPUT), component)
rmSync(folder, { recursive: true })
console.log(`${OUTPUT} ${component.length} B, ${version.stdout}`)
