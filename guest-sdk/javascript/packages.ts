/**
 * npm packages in an actor.
 *
 * Owns: which of a package's forms is taken, what a specifier of a package is, and what is said of one that is not there.
 */
import { isBuiltin } from 'node:module'

/**
 * Packages that differ between Node and browsers are taken as browsers take them: of what those have, an actor has some
 * (`crypto`, `TextEncoder`); of what Node has, nothing.
 */
export const RESOLVE = {
  mainFields: ['browser', 'module', 'main'],
  conditionNames: ['import', 'browser', 'default'],
  aliasFields: [['browser']],
}

/** Neither a path nor a module of ours. */
export function isPackage(specifier: string): boolean {
  return /^(?!loom:|raw:)[\w@]/.test(specifier)
}

export function absenceOf(specifier: string): string {
  if (isBuiltin(specifier)) return `'${specifier}' is a part of Node, which is not there`
  return `'${specifier}' is neither installed nor an interface of the host`
}
