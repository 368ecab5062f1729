// Makes sure that a Rust compiler with a standard library for wasm32-unknown-unknown is there, so that
// `loom build` compiles Rust actors.
//
//   node scripts/get-rust-wasm.mjs            the first of these that works
//   node scripts/get-rust-wasm.mjs --debian   the third
//
//   1. the rustc of the PATH has it already;
//   2. `rustup target add wasm32-unknown-unknown`;
//   3. on Debian, where rustup cannot fetch a target: the packages rustc-web, cargo-web and rust-web-src,
//      unpacked without root into a folder of their own, and the library built from its source.
// The folder is ~/.cache/loom-rust (LOOM_RUST_CACHE names another); `loom build` looks there. Nothing on the
// PATH changes. The third way takes about a minute and 140 MB of downloads, once; proc macros need `cc`.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const TARGET = 'wasm32-unknown-unknown'
const MACHINE = 'x86_64-linux-gnu'
const cache = process.env.LOOM_RUST_CACHE ?? path.join(os.homedir(), '.cache/loom-rust')
const toolchain = path.join(cache, 'toolchain')

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', ...options })
  return { ok: done.error === undefined && done.status === 0, ...done }
}

function fail(message) {
  console.error(`get-rust-wasm: ${message}`)
  process.exit(69)
}

/** Runs what must succeed. */
function must(what, command, args, options = {}) {
  const { ok, error, stderr, stdout } = run(command, args, options)
  if (ok) return stdout
  return fail(`${what}: ${error?.message ?? (stderr || stdout).trim()}`)
}

function hasTarget(rustc) {
  const { ok, stdout } = run(rustc, ['--print', 'target-libdir', '--target', TARGET])
  const folder = (stdout ?? '').trim()
  return ok && existsSync(folder) && readdirSync(folder).some((file) => file.startsWith('libstd-'))
}

function done(rustc) {
  console.log(`${run(rustc, ['--version']).stdout.trim()} with ${TARGET} (${rustc})`)
  process.exit(0)
}

const NEEDED = /^(libstd-rust-web|libllvm\d|libgit2|libhttp-parser|libmbed)/

/** The compiler, its shared libraries and the sources of its library; versions are part of their names. */
function packages() {
  const names = new Set(['rustc-web', 'cargo-web', 'rust-web-src'])
  for (const name of names) {
    const text = must('apt-cache depends', 'apt-cache', ['depends', '--important', name])
    for (const [, needed] of text.matchAll(/Depends: (\S+)/g))
      if (NEEDED.test(needed)) names.add(needed)
  }
  const llvm = [...names].find((name) => name.startsWith('libllvm'))
  if (llvm === undefined) fail(`rustc-web needs no libllvm, but ${[...names].join(' ')}`)
  return [...names, llvm.replace('libllvm', 'lld-')]
}

function unpack(folder) {
  const debs = path.join(folder, 'debs')
  mkdirSync(debs)
  const names = packages()
  console.log(`downloading ${names.join(' ')}`)
  must('apt-get download', 'apt-get', ['-q', 'download', ...names], { cwd: debs })
  for (const deb of readdirSync(debs)) must('dpkg -x', 'dpkg', ['-x', deb, '..'], { cwd: debs })
  rmSync(debs, { recursive: true })
}

/** A command that finds its shared libraries wherever the folder lies. */
function wrap(folder, name, lines) {
  const file = path.join(folder, 'bin', name)
  writeFileSync(
    file,
    `#!/bin/sh
root=$(cd "$(dirname "$0")/.." && pwd)/usr
export LD_LIBRARY_PATH="$root/lib/${MACHINE}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
${lines.join('\n')}
exec "$root/bin/${name}" "$@"
`,
  )
  chmodSync(file, 0o755)
}

function wrapCommands(folder) {
  const bin = path.join(folder, 'usr/bin')
  const linker = readdirSync(bin).find((file) => /^wasm-ld-\d+$/.test(file))
  if (linker === undefined) fail('no wasm-ld among the packages')
  mkdirSync(path.join(folder, 'bin'))
  wrap(folder, 'rustc', [])
  wrap(folder, 'cargo', [
    'export RUSTC="$(dirname "$root")/bin/rustc"',
    `export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$root/bin/${linker}"`,
  ])
}

/** Builds the library of the target from its source, into the compiler's own folder. */
function buildLibrary(folder) {
  const sources = path.join(folder, 'usr/src')
  const [release] = readdirSync(sources).filter((name) => name.startsWith('rustc-'))
  const library = path.join(sources, release ?? '', 'library')
  const build = path.join(folder, 'build')
  mkdirSync(path.join(build, 'src'), { recursive: true })
  mkdirSync(path.join(build, '.cargo'))
  writeFileSync(path.join(build, 'src/lib.rs'), '')
  writeFileSync(
    path.join(build, 'Cargo.toml'),
    `[package]\nname = "only-std"\nversion = "0.0.0"\nedition = "2021"\n
[profile.release]\npanic = "abort"\nopt-level = "s"\n`,
  )
  writeFileSync(
    path.join(build, '.cargo/config.toml'),
    `[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "${library}/vendor"\n`,
  )
  const flags = ['--offline', '--release', '--target', TARGET, '-Zbuild-std=std,panic_abort']
  must('building the library', path.join(folder, 'bin/cargo'), ['build', ...flags], {
    cwd: build,
    env: {
      ...process.env,
      CARGO_HOME: path.join(folder, 'cargo-home'),
      RUSTC_BOOTSTRAP: '1',
      // Bitcode, so that actors can be optimised with it; no path of this machine in panic messages.
      RUSTFLAGS: `-Cembed-bitcode=yes --remap-path-prefix=${sources}=/rustc`,
      RUSTC_WRAPPER: '',
    },
  })
  const made = path.join(build, 'target', TARGET, 'release/deps')
  const into = path.join(folder, 'usr/lib/rustlib', TARGET, 'lib')
  mkdirSync(into, { recursive: true })
  for (const file of readdirSync(made))
    if (/^lib.*\.rlib$/.test(file) && !file.startsWith('libonly_std'))
      cpSync(path.join(made, file), path.join(into, file))
  for (const name of ['build', 'cargo-home', 'usr/src', 'usr/share'])
    rmSync(path.join(folder, name), { recursive: true, force: true })
}

function fromDebian() {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(path.join(cache, 'new-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  unpack(folder)
  wrapCommands(folder)
  console.log(`building the standard library of ${TARGET}`)
  buildLibrary(folder)
  rmSync(toolchain, { recursive: true, force: true })
  renameSync(folder, toolchain)
}

const onPath = process.env.RUSTC ?? 'rustc'
const cached = path.join(toolchain, 'bin/rustc')
if (!process.argv.includes('--debian')) {
  if (hasTarget(onPath)) done(onPath)
  if (hasTarget(cached)) done(cached)
  run('rustup', ['target', 'add', TARGET], { stdio: 'ignore', timeout: 60_000 })
  if (hasTarget(onPath)) done(onPath)
}
if (!run('apt-get', ['--version']).ok)
  fail(`no rustc with ${TARGET}, rustup cannot add it, and there is no apt-get`)
fromDebian()
done(cached)
