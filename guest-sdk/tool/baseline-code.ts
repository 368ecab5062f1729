/**
 * Compilers that are WebAssembly themselves, in a process that builds.
 *
 * Owns: telling V8 not to optimise their code. A build runs for a second or two; optimising what it runs takes as long
 * again, on other threads, and is thrown away with the process.
 * Does not own: processes that also do something else. A host must never call this: its actors would run slowly.
 */
import { setFlagsFromString } from 'node:v8'

/** The first implies the others where it is set at the start of Node; set later, newer V8s need all three. */
const FLAGS = ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']

/** From now on WebAssembly that is loaded into this process runs as V8's baseline compiler leaves it. */
export function useBaselineCode(): void {
  for (const flag of FLAGS) setFlagsFromString(flag)
}
