/** The build as a process: `node cli.js <dir> [--json] [--out DIR]`; see tool/command.ts. */
import { runBuild } from '../tool/command.ts'
import { buildActor } from './build-actor.ts'

process.exitCode = await runBuild(buildActor, process.argv.slice(2))
