/**
 * Trap: a rule of the Canonical ABI that a guest broke. Whoever ran the guest adds the function's name and
 * makes it ERR_TRAP (failure.ts).
 */
export class AbiTrap extends Error {}

export function trap(rule: string): never {
  throw new AbiTrap(rule)
}
