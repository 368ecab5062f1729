// A host process of its own for test/e2e/deep-stack.test.ts: node [--stack-size=KB] deep-child.mjs FOLDER COMPONENT CALL...
//
// Makes each call (a depth) of the actor Deep/a, prints what it returned, or its error, as a line of JSON; then the state's
// hash; and ends without closing anything, as a crash would. No snapshot is taken.
import { readFileSync } from 'node:fs'
import { createRuntime, openDataFolder } from '../../dist/host/index.js'
import { say } from './say.mjs'

const [folder, component, ...depths] = process.argv.slice(2)
const limits = { snapshotIntervalTurns: 1e6, snapshotIntervalMs: 1e12, snapshotIntervalBytes: 1e12 }
const runtime = await createRuntime({ ...openDataFolder(folder), limits })
await runtime.registerActorType('Deep', { type: 'wasm', component: readFileSync(component) })
for (const depth of depths)
  try {
    const actor = await runtime.getActor('a', 'Deep')
    say(JSON.stringify(String(await actor.call('descend', Number(depth)))))
  } catch (error) {
    say(JSON.stringify(`${error.code}: ${error.message}`))
  }
say(JSON.stringify((await runtime.describeActor('a', 'Deep')).stateHash))
process.exit(0)
