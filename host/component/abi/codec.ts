/**
 * Codec: the lifters and lowerers of one string encoding, made on demand and shared by all functions.
 */
import type { StringEncoding } from '../binary/ast.ts'
import { FlatLifter } from './lift-flat.ts'
import { MemoryLifter } from './lift-memory.ts'
import { FlatLowerer } from './lower-flat.ts'
import { MemoryLowerer } from './lower-memory.ts'

export interface Codec {
  readonly liftMemory: MemoryLifter
  readonly liftFlat: FlatLifter
  readonly lowerMemory: MemoryLowerer
  readonly lowerFlat: FlatLowerer
}

export function createCodec(encoding: StringEncoding): Codec {
  const liftMemory = new MemoryLifter(encoding)
  const lowerMemory = new MemoryLowerer(encoding)
  return {
    liftMemory,
    liftFlat: new FlatLifter(encoding, liftMemory),
    lowerMemory,
    lowerFlat: new FlatLowerer(encoding, lowerMemory),
  }
}
