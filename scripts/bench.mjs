// Runs the benches named on the command line, or all of them: npm run bench -- durable
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const known = readdirSync('dist/bench')
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -3))
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`no bench is named ${unknown.join(', ')}; there are: ${known.join(', ')}`)
  process.exit(2)
}
for (const name of wanted.length > 0 ? wanted : known) {
  console.log(`\n## ${name}\n`)
  const { status } = spawnSync(process.execPath, ['--expose-gc', `dist/bench/${name}.js`], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
