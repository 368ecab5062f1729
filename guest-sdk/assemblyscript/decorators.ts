/**
 * Decorators.
 *
 * Owns: finding one by name in the compiler's tree.
 */
import type { AssemblyScript } from './toolchain.ts'

/** The decorator `@name`, if it is there. */
export function findDecorator(
  decorators: readonly AssemblyScript.DecoratorNode[] | null | undefined,
  name: string,
): AssemblyScript.DecoratorNode | undefined {
  return decorators?.find((one) => one.name.range.toString().replace(/^@/, '') === name)
}
