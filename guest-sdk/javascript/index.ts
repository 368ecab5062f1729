/**
 * The JavaScript and TypeScript SDK's build, as a library.
 */
export type { Mistake } from '../assemblyscript/errors.ts'
export { BuildError, ToolchainError } from '../assemblyscript/errors.ts'
export type { BuildOptions, BuiltJavaScriptActor } from './build-actor.ts'
export { buildActor } from './build-actor.ts'
export type { Engine } from './evaluation.ts'
