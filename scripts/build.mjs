// Compiles host, SDK, bench and scripts to dist/ with tsc. Skips when dist/ is newer than every
// source, so that `npm test` and `npm run demo` may always call it. Without TypeScript installed
// (a consumer's `npm install` of a packed loom has dist/ already) it does nothing.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const stamp = path.join(root, 'dist/.stamp')

function newestMs(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name)
    if (entry.isDirectory()) newest = Math.max(newest, newestMs(full))
    else newest = Math.max(newest, statSync(full).mtimeMs)
  }
  return newest
}

const folders = ['host', 'guest-sdk', 'bench', 'scripts'].filter((folder) =>
  existsSync(path.join(root, folder)),
)
const sources = folders.map((folder) => newestMs(path.join(root, folder)))
const configs = ['tsconfig.json', 'tsconfig.build.json'].map(
  (file) => statSync(path.join(root, file)).mtimeMs,
)
const newestSourceMs = Math.max(...sources, ...configs)
if (existsSync(stamp) && statSync(stamp).mtimeMs > newestSourceMs) process.exit(0)

let tsc
try {
  tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
} catch {
  console.error('build: TypeScript is not installed; run `npm ci` first')
  process.exit(1)
}
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
// What a removed source left behind would go into the package.
for (const folder of folders) {
  const compiled = path.join(root, 'dist', folder)
  if (!existsSync(compiled)) continue
  for (const file of readdirSync(compiled, { recursive: true, encoding: 'utf8' })) {
    const match = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(file)
    if (match !== null && !existsSync(path.join(root, folder, `${match[1]}.ts`)))
      rmSync(path.join(compiled, file))
  }
}
const main = path.join(root, 'dist/host/cli/main.js')
if (existsSync(main)) chmodSync(main, 0o755)
writeFileSync(stamp, '')
