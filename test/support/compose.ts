// Puts components one behind the other. Each of `links` imports and exports the interface `name`: the first
// gets that of the host, each next one what the one before it exports, and the last one's is exported.
import { decodeComponent } from '../../host/component/binary/decode.ts'

const CORE_MODULE = 1
const COMPONENT = 4
const INSTANCE = 5
const ALIAS = 6
const EXPORT = 11
const SORT_INSTANCE = 5

function leb(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}

function text(value: string): number[] {
  const bytes = Buffer.from(value)
  return [...leb(bytes.length), ...bytes]
}

function section(id: number, body: Uint8Array | readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([id, ...leb(body.length)]), Buffer.from(body)])
}

/** The sections that import, which stand first. */
function importSections(component: Uint8Array): Uint8Array {
  let at = 8
  while (at < component.length && component[at] !== CORE_MODULE) {
    let size = 0
    let read = at + 1
    for (let shift = 0; ; shift += 7) {
      const byte = component[read++] ?? 0
      size |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    at = read + size
  }
  return component.subarray(0, at)
}

export function chain(links: readonly Uint8Array[], name: string): Uint8Array {
  const [first] = links
  if (first === undefined) throw new Error('a chain of nothing')
  const prefix = importSections(first)
  const imported = new Map<string, number>()
  for (const definition of decodeComponent(prefix).definitions)
    if (definition.kind === 'import') imported.set(definition.name, imported.size)
  const parts: Uint8Array[] = [prefix]
  let instances = imported.size
  links.forEach((link, index) => {
    const args = [...imported].flatMap(([key, at]) => [...text(key), SORT_INSTANCE, ...leb(at)])
    const made = instances++
    const aliased = instances++
    parts.push(
      section(COMPONENT, link),
      section(INSTANCE, [1, 0, ...leb(index), ...leb(imported.size), ...args]),
      section(ALIAS, [1, SORT_INSTANCE, 0, ...leb(made), ...text(name)]),
    )
    imported.set(name, aliased)
  })
  const last = [SORT_INSTANCE, ...leb(imported.get(name) ?? 0)]
  parts.push(section(EXPORT, [1, 0, ...text(name), ...last, 0]))
  return Buffer.concat(parts)
}
