/**
 * Builds the guests in Rust, C and JavaScript into test/fixtures/components, and writes their manifest and the
 * crate's WIT.
 *
 *   node dist/scripts/build-guests.js            those whose sources have changed
 *   node dist/scripts/build-guests.js NAME...    these
 */
import { readFileSync, writeFileSync } from 'node:fs'
import * as c from '../guest-sdk/c/index.ts'
import * as javascript from '../guest-sdk/javascript/index.ts'
import * as rust from '../guest-sdk/rust/index.ts'
import { SDK_WIT, sdkWit } from '../guest-sdk/rust/sdk-wit.ts'
import { type Guest, MANIFEST, readManifest, sha256, sourceHashes } from './guest-manifest.ts'

function packageVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'))
  return `${name} ${version}`
}

async function build({ language, folder: dir }: Guest): Promise<[Uint8Array, string]> {
  const options = { dir, write: false }
  if (language === 'rust') {
    const { component, version, target } = await rust.buildActor(options)
    return [component, `${version} for ${target}`]
  }
  if (language === 'javascript') {
    const { component } = await javascript.buildActor(options)
    return [component, packageVersion('componentize-qjs')]
  }
  return [(await c.buildActor(options)).component, packageVersion('@yowasp/clang')]
}

writeFileSync(SDK_WIT, sdkWit())
const wanted = process.argv.slice(2)
const guests: Guest[] = []
for (const guest of readManifest()) {
  const sources = sourceHashes(guest)
  const isCurrent = JSON.stringify(sources) === JSON.stringify(guest.sources)
  if (wanted.length > 0 ? !wanted.includes(guest.name) : isCurrent) {
    guests.push(guest)
    continue
  }
  const [component, tool] = await build(guest)
  writeFileSync(`test/fixtures/components/${guest.name}.wasm`, component)
  const { name, language, folder } = guest
  const sizeBytes = component.length
  guests.push({ name, language, folder, sources, sizeBytes, component: sha256(component), tool })
  console.log(`${name}: ${sizeBytes} bytes, ${tool}`)
}
writeFileSync(MANIFEST, `${JSON.stringify(guests, null, 2)}\n`)
