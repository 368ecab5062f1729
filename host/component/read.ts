/**
 * Read: bytes become the plan of a valid component.
 *
 * Owns: decode, validate, link, in this order. Does not own: what is compiled (load.ts).
 *
 * Invariant RD1. Nothing is linked that is not valid as a whole.
 */

import { decodeComponent } from './binary/decode.ts'
import { CoreModules, type ModuleRange } from './core/core-modules.ts'
import { Linker, type LinkPlan } from './link/link.ts'
import { validateComponent } from './validate/component.ts'

export interface ReadComponent {
  readonly link: LinkPlan
  /** Core modules in the binary that no instance needs; their code has not been validated. */
  readonly unused: readonly ModuleRange[]
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function readComponent(bytes: Uint8Array): ReadComponent {
  const root = decodeComponent(bytes)
  const coreModules = new CoreModules(bytes)
  validateComponent(root, coreModules)
  const link = new Linker(coreModules).link(root)
  return { link, unused: coreModules.besides(link.modules.map(({ core }) => core)) }
}
