/**
 * The Rust SDK's build, as a library.
 */
export type { Mistake } from '../assemblyscript/errors.ts'
export { BuildError, ToolchainError } from '../assemblyscript/errors.ts'
export type { BuildOptions, BuiltRustActor } from './build-actor.ts'
export { buildActor } from './build-actor.ts'
export type { Target } from './toolchain.ts'
export { TARGETS } from './toolchain.ts'
