// Builds test/fixtures/components/conformance from test/fixtures/guests/conformance, and says what is missing.
//
//   node scripts/build-conformance-fixtures.mjs            writes the components and their manifest
//   node scripts/build-conformance-fixtures.mjs --check    writes nothing; fails when a rebuild gives other bytes
//
// Needs, none of which the tests need:
//   cargo with the standard library of wasm32-wasip2   (CARGO; `rustup target add wasm32-wasip2`)
//   the crates of Cargo.lock, from crates.io or cargo's cache
// The folder in which it compiles stays, for the next time: LOOM_CONFORMANCE_TARGET, or one in the system's
// temporary folder. Another compiler gives other bytes: the manifest names the one that was used.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const GUESTS = path.join(root, 'test/fixtures/guests/conformance')
const OUTPUT = path.join(root, 'test/fixtures/components/conformance')
const TARGET = 'wasm32-wasip2'
const WORLDS = 'strings numbers lists records variants results many resources'.split(' ')
/** Encodings of the same guest, by the name of the component. */
const WIDE = { 'strings-utf16': 'utf16', 'strings-compact': 'compact-utf16' }

const { env } = process
const cargo = env.CARGO ?? 'cargo'
const target = env.LOOM_CONFORMANCE_TARGET ?? path.join(os.tmpdir(), 'loom-conformance-target')
const isCheck = process.argv.includes('--check')

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

function version() {
  const { status, stdout } = spawnSync('rustc', ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function missing() {
  const list = []
  if (spawnSync(cargo, ['--version']).status !== 0) list.push('cargo (set CARGO)')
  const found = spawnSync('rustc', ['--print', 'target-libdir', '--target', TARGET], {
    encoding: 'utf8',
  })
  const library = found.status === 0 ? found.stdout.trim() : ''
  if (!existsSync(library)) list.push(`the standard library of ${TARGET} (rustup target add)`)
  return list
}

function build(...args) {
  // Rust's stack of 1 MiB would be sixteen pages of every snapshot.
  const RUSTFLAGS = '-Clink-arg=-zstack-size=65536'
  const { status } = spawnSync(
    cargo,
    ['rustc', '--locked', '--quiet', '--release', '--target', TARGET, ...args],
    {
      cwd: GUESTS,
      stdio: 'inherit',
      env: { ...env, RUSTFLAGS, CARGO_TARGET_DIR: target },
    },
  )
  if (status !== 0) process.exit(65)
}

function output(example) {
  return readFileSync(path.join(target, TARGET, 'release/examples', `${example}.wasm`))
}

async function buildWide(stringEncoding) {
  const features = stringEncoding === 'utf16' ? [] : ['--features', 'compact']
  build('--example', 'wide_strings', ...features, '--', '-Clink-arg=--skip-wit-component')
  const { componentEmbed, componentNew } = await import(
    '@bytecodealliance/jco-transpile/wasm-tools'
  )
  const embedded = await componentEmbed({
    binary: output('wide_strings'),
    witSource: readFileSync(path.join(GUESTS, 'wit/conformance.wit'), 'utf8'),
    world: 'strings-guest',
    stringEncoding,
  })
  return await componentNew(embedded)
}

/** Hash of every source, by path. */
function sources() {
  const names = readdirSync(GUESTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(GUESTS, path.join(entry.parentPath, entry.name)))
    .sort()
  return Object.fromEntries(
    names.map((name) => [name, sha256(readFileSync(path.join(GUESTS, name)))]),
  )
}

const lacks = missing()
if (lacks.length > 0) {
  for (const what of lacks) console.error(`build-conformance-fixtures: missing ${what}`)
  process.exit(69)
}

const built = new Map()
for (const world of WORLDS) {
  build('--example', world)
  built.set(world, output(world))
}
for (const [name, encoding] of Object.entries(WIDE)) built.set(name, await buildWide(encoding))

const components = Object.fromEntries([...built].map(([name, bytes]) => [name, sha256(bytes)]))
const manifest = `${JSON.stringify({ compiler: version(), sources: sources(), components }, null, 2)}\n`
const files = new Map([...built].map(([name, bytes]) => [`${name}.wasm`, bytes]))
files.set('manifest.json', Buffer.from(manifest))

mkdirSync(OUTPUT, { recursive: true })
for (const [name, bytes] of files) {
  const file = path.join(OUTPUT, name)
  const isCurrent = existsSync(file) && Buffer.compare(readFileSync(file), bytes) === 0
  if (!isCurrent && isCheck) process.exitCode = 1
  else if (!isCurrent) writeFileSync(file, bytes)
  console.log(`${isCurrent ? 'same' : isCheck ? 'STALE' : 'written'} ${name} ${bytes.length} B`)
}
