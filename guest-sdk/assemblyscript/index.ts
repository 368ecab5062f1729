/**
 * The AssemblyScript SDK's build, as a library.
 */
export type { BuildOptions, BuiltActor } from './build-actor.ts'
export { buildActor } from './build-actor.ts'
export type { Mistake } from './errors.ts'
export { BuildError, ToolchainError } from './errors.ts'
