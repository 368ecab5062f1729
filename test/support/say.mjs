// How a child process of a test speaks.
import { writeSync } from 'node:fs'

/** Writes a line to stdout synchronously: one that was read had happened before a kill. */
export function say(line) {
  for (let bytes = Buffer.from(`${line}\n`); bytes.length > 0; )
    try {
      bytes = bytes.subarray(writeSync(1, bytes))
    } catch (error) {
      // The reader is slow, and the pipe does not block.
      if (error.code !== 'EAGAIN') throw error
    }
}
