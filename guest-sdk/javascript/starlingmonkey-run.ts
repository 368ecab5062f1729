/**
 * componentize-js as a process: `node starlingmonkey-run.js REQUEST`, where the file is a StarlingMonkeyRun.
 *
 * Owns: what the package is told, and what its tool sees of this machine: nothing (SM2). The package lets Wizer see its
 * working folder, whose random name would become part of the actor's memory. Here it has one name.
 * Does not own: the engine that it is given (starlingmonkey.ts).
 *
 * A process of its own, because the package's call of Wizer is changed for as long as it lives.
 *
 *   exit 0 the component is written | 1 with the engine's message on stderr
 */
import childProcess, { type SpawnSyncOptions } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { StarlingMonkeyRun } from './starlingmonkey.ts'

interface Componentize {
  readonly componentize: (
    source: string,
    options: {
      readonly engine: string
      readonly witWorld: string
      readonly worldName: string
      readonly disableFeatures: readonly string[]
    },
  ) => Promise<{ readonly component: Uint8Array }>
}

/** The name of the working folder in the component. */
const FOLDER = '/actor'

function hideWorkingFolder(): void {
  const real = childProcess.spawnSync
  const hidden = (command: string, args: readonly string[], options: SpawnSyncOptions) => {
    const [, folder = FOLDER] = args.map((one) => /^--dir=(.*)$/.exec(one)).find(Boolean) ?? []
    return real(
      command,
      args.map((one) => (one === `--dir=${folder}` ? `--mapdir=${FOLDER}::${folder}` : one)),
      { ...options, input: String(options.input ?? '').replaceAll(folder, FOLDER) },
    )
  }
  childProcess.spawnSync = hidden as typeof real
  syncBuiltinESMExports()
}

async function main(file: string): Promise<void> {
  const request = JSON.parse(readFileSync(file, 'utf8')) as StarlingMonkeyRun
  hideWorkingFolder()
  const specifier: string = pathToFileURL(request.module).href
  const { componentize } = (await import(specifier)) as Componentize
  const { component } = await componentize(request.source, {
    engine: request.engine,
    witWorld: request.wit,
    worldName: request.world,
    // The console writes to the host's log. Clocks and random numbers are off already (SM1); without these features
    // the package takes them from the script as well.
    disableFeatures: ['stdio', 'http', 'fetch-event'],
  })
  writeFileSync(request.component, component)
}

try {
  await main(process.argv[2] ?? '')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
