#!/usr/bin/env node
/**
 * The executable `loom`.
 */
import { endOnClosedPipe } from './output.ts'
import { runCli } from './program.ts'

endOnClosedPipe()
process.exitCode = await runCli(process.argv.slice(2))
