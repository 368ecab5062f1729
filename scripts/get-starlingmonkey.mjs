// Builds a component with componentize-js (StarlingMonkey) for test/guest/strangers.test.ts, which runs it if it is there.
//
//   node scripts/get-starlingmonkey.mjs
//
// componentize-js and what it brings have 300 MB and the component has 12 MB, so neither is part of this repository. Both
// go into ~/.cache/loom-guests (LOOM_GUEST_CACHE names another folder). Takes a minute, once.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const PACKAGE = '@bytecodealliance/componentize-js'
const VERSION = '0.22.0'
/** It imports this without saying so. */
const SHIM = '@bytecodealliance/preview2-shim@0.26'
const SOURCE = path.resolve(import.meta.dirname, '../test/fixtures/guests/stranger')
const cache = process.env.LOOM_GUEST_CACHE ?? path.join(os.homedir(), '.cache/loom-guests')

const source = readFileSync(path.join(SOURCE, 'stranger.js'), 'utf8')
const wit = readFileSync(path.join(SOURCE, 'world.wit'), 'utf8')
const hash = createHash('sha256').update(`${VERSION}\n${source}\n${wit}`).digest('hex')
const target = path.join(cache, `starlingmonkey-${hash.slice(0, 16)}.wasm`)
if (existsSync(target)) process.exit(0)

mkdirSync(cache, { recursive: true })
const manifest = path.join(cache, 'package.json')
if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n')
const { status } = spawnSync(
  'npm',
  ['install', '--no-audit', '--no-fund', `${PACKAGE}@${VERSION}`, SHIM],
  { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] },
)
if (status !== 0) {
  console.error(`get-starlingmonkey: npm could not install ${PACKAGE}@${VERSION}`)
  process.exit(69)
}
// The package exports itself to import statements of the folder only.
const door = path.join(cache, 'componentize.mjs')
writeFileSync(door, `export { componentize } from '${PACKAGE}'\n`)
const { componentize } = await import(pathToFileURL(door).href)
const { component } = await componentize(source, {
  witPath: path.join(SOURCE, 'world.wit'),
  worldName: 'counter',
  disableFeatures: ['http', 'fetch-event'],
})
writeFileSync(`${target}.tmp`, component)
renameSync(`${target}.tmp`, target)
console.log(`${target} ${component.length} B`)
