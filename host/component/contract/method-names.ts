/**
 * The names by which callers know the functions that a component exports.
 *
 * Invariant MN1. The name is the function's; where two interfaces export one of that name, the interface's stands in
 * front, and the whole id where even that is not enough.
 */

interface Exported {
  readonly interfaceName: string
  readonly name: string
}

export function methodName({ interfaceName, name }: Exported, all: readonly Exported[]): string {
  const others = all.filter((other) => other.name === name && other.interfaceName !== interfaceName)
  if (others.length === 0 || interfaceName === '') return name
  const short = interfaceName.replace(/^.*\//, '').replace(/@.*$/, '')
  const clash = others.some((other) => other.interfaceName.includes(`/${short}`))
  return clash ? `${interfaceName}.${name}` : `${short}.${name}`
}

/** By `interface#function`. */
export function methodNames(
  interfaces: readonly {
    readonly name: string
    readonly functions: readonly { readonly name: string }[]
  }[],
): ReadonlyMap<string, string> {
  const all = interfaces.flatMap(({ name: interfaceName, functions }) =>
    functions.map(({ name }) => ({ interfaceName, name })),
  )
  return new Map(
    all.map((one) => [`${one.interfaceName}#${one.name}`, methodName(one, all)] as const),
  )
}
