/**
 * Contracts: what a component offers to callers and asks of its host, for tools.
 *
 * Owns: which imports every host serves. Does not own: reading, printing and comparing (component/contract*.ts).
 */

import { LoomError } from '../base/errors.ts'
import { COMPONENT_SIZE_MAX_BYTES } from '../base/limits.ts'
import { type Contract, readContract } from '../component/contract/contract.ts'
import { contractDeclarations } from '../component/contract/contract-declarations.ts'
import { type Break, contractBreaks } from '../component/contract/contract-diff.ts'
import { contractText } from '../component/contract/contract-text.ts'
import { standardInterfaces } from './standard-interfaces.ts'

export type { Break }

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
function contractOf(component: Uint8Array): Contract {
  if (component.length > COMPONENT_SIZE_MAX_BYTES)
    throw new LoomError(
      'ERR_COMPONENT_FORMAT',
      `a component of ${component.length} bytes: at most ${COMPONENT_SIZE_MAX_BYTES} are allowed`,
    )
  return readContract(component)
}

/** The WIT of a component, whole: its world, and every interface that the world names. Comments are not in components. */
export function componentWit(component: Uint8Array): string {
  return contractText(contractOf(component))
}

/** TypeScript declarations of what callers may call. */
export function componentDeclarations(component: Uint8Array, origin: string): string {
  return contractDeclarations(contractOf(component), origin)
}

/**
 * What the new component breaks for callers of the old one, and for its embedders. Standard interfaces need not be
 * provided, so importing one more of them breaks nothing.
 */
export function componentBreaks(before: Uint8Array, after: Uint8Array): readonly Break[] {
  const interfaces = standardInterfaces()
  const isServed = (name: string, func: Parameters<typeof interfaces.answer>[1]): boolean =>
    interfaces.answer(name, func) !== undefined
  return contractBreaks(contractOf(before), contractOf(after), isServed)
}
