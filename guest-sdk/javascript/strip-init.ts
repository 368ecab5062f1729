/**
 * The function by which componentize-qjs evaluates a script.
 *
 * Owns: taking its export out of a component. It has done its work when the component is made, and would be a
 * method of the actor that everybody could call.
 */
import { BinaryReader, HEADER_SIZE } from '../assemblyscript/binary-reader.ts'
import { concat } from './encode.ts'

const EXPORT_SECTION = 11
const FUNCTION = 1
const NAME = 'init'

/** True for a section that exports the function and nothing else. */
function isInit(section: Uint8Array): boolean {
  const reader = new BinaryReader(section)
  if (reader.unsigned() !== 1) return false
  reader.byte()
  return reader.name() === NAME && reader.byte() === FUNCTION
}

/** The component without the export. Indices of functions behind it would change; there are none that are used. */
export function stripInit(component: Uint8Array): Uint8Array {
  const reader = new BinaryReader(component, HEADER_SIZE)
  const parts = [component.subarray(0, HEADER_SIZE)]
  while (!reader.atEnd) {
    const from = reader.offset
    const id = reader.byte()
    const section = reader.take(reader.unsigned())
    if (id !== EXPORT_SECTION || !isInit(section))
      parts.push(component.subarray(from, reader.offset))
  }
  return concat(parts)
}
