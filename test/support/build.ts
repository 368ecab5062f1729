// Runs once before the tests: tests that start real processes run the compiled `dist/`, and call
// components that are built from source.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'

const OUT = 'dist/test-actors'
const ACTORS = ['actors/counter', 'actors/quoter', 'test/fixtures/actors/trapper']

/** Newest change of the actor's own sources or of anything compiled, the SDK included. */
function changedMs(folder: string): number {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.startsWith('build'))
    .map((file) => path.join(folder, file))
  return Math.max(...[...sources, 'dist/.stamp'].map((file) => statSync(file).mtimeMs))
}

export function setup(): void {
  const run = (...args: string[]): void => {
    execFileSync(process.execPath, args, { stdio: 'inherit' })
  }
  run('scripts/build.mjs')
  for (const folder of ACTORS) {
    const component = path.join(OUT, `${path.basename(folder)}.wasm`)
    if (existsSync(component) && statSync(component).mtimeMs > changedMs(folder)) continue
    run('dist/host/cli/main.js', 'build', folder, '--out', OUT)
  }
}
