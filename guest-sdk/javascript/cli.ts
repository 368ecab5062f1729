/** The build as a process: `node cli.js <dir> [--json] [--out DIR] [--engine NAME]`; see tool/command.ts. */
import { runBuild } from '../tool/command.ts'
import { buildActor } from './build-actor.ts'
import { ENGINES, isEngine } from './evaluation.ts'

process.exitCode = await runBuild(
  ({ engine, ...request }) => buildActor(isEngine(engine) ? { ...request, engine } : request),
  process.argv.slice(2),
  { derivesWit: false, engines: ENGINES },
)
