// Adds to package-lock.json the platform packages (binaries for other systems) that `npm install` left
// out: it forgets those that the registry at hand does not serve, and `npm ci` then refuses the lock.
// An added entry has no checksum; npm fetches it only on the system that it is for.
//
//     node scripts/complete-lock.mjs           completes the lock
//     node scripts/complete-lock.mjs --check   fails if there is something to add
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const file = path.resolve(import.meta.dirname, '../package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const NODE_MODULES = 'node_modules/'

/** Where Node would find `name` from the package at `from`, if it is in the lock. */
function isLocked(from, name) {
  for (let at = from; ; ) {
    const place = `${at === '' ? '' : `${at}/`}${NODE_MODULES}${name}`
    if (lock.packages[place] !== undefined) return true
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
    if (isLocked(place, name)) continue
    const platform = platformOf(name)
    if (platform === null)
      throw new Error(`${name} of ${place} is missing, and is for every system`)
    const folder = place.slice(0, place.lastIndexOf(NODE_MODULES) + NODE_MODULES.length)
    const version = range.replace(/^[~^]/, '')
    lock.packages[folder + name] = { version, ...platform, ...(dev ? { dev } : {}), optional: true }
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
