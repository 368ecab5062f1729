/**
 * Installs componentize-js (StarlingMonkey) and builds the components of the tests that run on it: those of
 * `loom build --engine starlingmonkey`, and one of a toolchain that knows nothing of Loom.
 *
 *   node dist/scripts/get-starlingmonkey.js
 *
 * componentize-js and what it needs have 350 MB and a component has 12 MB, so neither is part of this repository. Both
 * go into ~/.cache/loom-guests (LOOM_GUEST_CACHE names another folder). Takes some two minutes, once, and again when
 * something changes that goes into the components.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildActor } from '../guest-sdk/javascript/index.ts'
import { STARLINGMONKEY_VERSION } from '../guest-sdk/javascript/starlingmonkey.ts'
import { ACTORS, guestCache, HASH_FILE, STRANGER, sourcesHash } from './starlingmonkey-sources.ts'

const PACKAGE = '@bytecodealliance/componentize-js'
const cache = guestCache()
const installed = path.join(cache, 'node_modules', PACKAGE)

/** Written when npm is done: what stands without it may be part of an installation. */
const doneFile = path.join(cache, 'installed')

function install(): void {
  const wanted = `${PACKAGE}@${STARLINGMONKEY_VERSION}`
  if (existsSync(doneFile) && readFileSync(doneFile, 'utf8') === wanted) return
  for (const name of ['installed', 'node_modules', 'package-lock.json'])
    rmSync(path.join(cache, name), { recursive: true, force: true })
  writeFileSync(path.join(cache, 'package.json'), '{ "private": true }\n')
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', wanted], {
    cwd: cache,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm could not install ${wanted}`)
  writeFileSync(doneFile, wanted)
}

/** In a folder below the package, where the build finds it as in an author's project. */
async function build(folder: string): Promise<void> {
  const name = path.basename(folder)
  const dir = path.join(cache, 'actors', name)
  rmSync(dir, { recursive: true, force: true })
  cpSync(folder, dir, { recursive: true })
  const { component } = await buildActor({ dir, engine: 'starlingmonkey', write: false })
  writeComponent(name, component)
}

async function buildStranger(): Promise<void> {
  const module = pathToFileURL(path.join(installed, 'src/componentize.js')).href
  const { componentize } = await import(module)
  const { component } = await componentize(
    readFileSync(path.join(STRANGER, 'starlingmonkey.js'), 'utf8'),
    {
      witWorld: readFileSync(path.join(STRANGER, 'world.wit'), 'utf8'),
      worldName: 'counter',
      disableFeatures: ['http', 'fetch-event'],
    },
  )
  writeComponent('stranger', component)
}

function writeComponent(name: string, component: Uint8Array): void {
  const file = path.join(cache, `${name}.wasm`)
  writeFileSync(file, component)
  console.log(`${file}: ${component.length} bytes`)
}

const hash = sourcesHash()
const hashFile = path.join(cache, HASH_FILE)
if (!existsSync(hashFile) || readFileSync(hashFile, 'utf8') !== hash) {
  mkdirSync(cache, { recursive: true })
  rmSync(hashFile, { force: true })
  install()
  for (const folder of ACTORS) await build(folder)
  await buildStranger()
  writeFileSync(hashFile, hash)
}
