export { type MemoryDriver, memory } from './memory.ts'
