// Adds to package-lock.json the platform packages (binaries for other systems) that `npm install` left
// out: it forgets those that the registry at hand does not serve, and `npm ci` then refuses the lock.
// An added entry has no checksum; npm fetches it only on the system that it is for.
//
//     node scripts/complete-lock.mjs           completes the lock
//     node scripts/complete-lock.mjs --check   fails if there is something to add
//
// The last argument may name another lock.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const named = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
const file = named ?? path.resolve(import.meta.dirname, '../package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const NODE_MODULES = 'node_modules/'

const EXACT = /^\d+\.\d+\.\d+[\w.+-]*$/

/** True when the first `name` that Node would find from the package at `from` is in the lock, and is what it asks for. */
function isLocked(from, name, range) {
  for (let at = from; ; ) {
    const found = lock.packages[`${at === '' ? '' : `${at}/`}${NODE_MODULES}${name}`]
    if (found !== undefined) return !EXACT.test(range) || found.version === range
    if (at === '') return false
    at = at.slice(0, Math.max(0, at.lastIndexOf(`/${NODE_MODULES}`)))
  }
}

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32', 'aix']
const PROCESSORS = [
  'arm64',
  'arm',
  'x64',
  'ia32',
  'ppc64',
  'riscv64',
  's390x',
  'loong64',
  'mips64el',
]

/** The systems that a platform package is for, as its name tells: `cli-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split(/[-/]/)
  const os = SYSTEMS.filter((system) => words.includes(system))
  const cpu = PROCESSORS.filter((processor) => words.includes(processor))
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : []
  if (os.length === 0) return null
  return { cpu, ...(os[0] === 'linux' && libc.length > 0 ? { libc } : {}), os }
}

const added = []
for (const [place, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    if (isLocked(place, name, range)) continue
    const platform = platformOf(name)
    if (platform === null)
      throw new Error(`${name} of ${place} is missing, and is for every system`)
    const beside = place.slice(0, place.lastIndexOf(NODE_MODULES) + NODE_MODULES.length) + name
    // Another version may stand there; then this one belongs to its package alone.
    const target = lock.packages[beside] === undefined ? beside : `${place}/${NODE_MODULES}${name}`
    const version = range.replace(/^[~^]/, '')
    lock.packages[target] = { version, ...platform, ...(dev ? { dev } : {}), optional: true }
    added.push(`${name}@${version}`)
  }
}
for (const each of added) console.log(`lock: ${each} was missing`)
if (added.length > 0 && process.argv.includes('--check')) process.exit(1)
if (added.length > 0) {
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))
  lock.packages = Object.fromEntries(sorted)
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
}
