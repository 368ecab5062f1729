/** The build as a process: `node cli.js <dir> [--json] [--out DIR] [...]`; see tool/command.ts. */
import { runBuild } from '../tool/command.ts'
import { hasTransforms } from './actor-settings.ts'
import { buildActor, loadTools } from './build-actor.ts'

process.exitCode = await runBuild(buildActor, process.argv.slice(2), {
  derivesWit: true,
  preload: loadTools,
  // They are loaded once in a process, and may keep state.
  spoilsProcess: hasTransforms,
})
