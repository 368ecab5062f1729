// Checks the layers of docs/architecture.md in the given folder (default: this package). Fails too when
// the tool saw no modules, which it otherwise reports as success (dependency-cruiser 17 does so with a
// TypeScript it cannot load).
import { existsSync } from 'node:fs'
import path from 'node:path'
import { cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import rules from '../.dependency-cruiser.cjs'

const MODULES_MIN = 20
const root = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '..'))
process.chdir(root)
const folders = ['host', 'guest-sdk', 'bench', 'scripts'].filter((folder) => existsSync(folder))
const { output } = await cruise(
  folders,
  { ruleSet: rules, validate: true, exclude: { path: '/assembly/' }, ...rules.options },
  undefined,
  { tsConfig: extractTSConfig('tsconfig.json') },
)
const { summary } = output
for (const { from, to, rule } of summary.violations) console.error(`${rule.name}: ${from} -> ${to}`)
if (summary.totalCruised < MODULES_MIN) {
  console.error(`layers: saw only ${summary.totalCruised} modules; is TypeScript older than 7?`)
  process.exit(1)
}
console.log(`layers: ${summary.totalCruised} modules, ${summary.violations.length} violations`)
process.exit(summary.violations.length === 0 ? 0 : 1)
