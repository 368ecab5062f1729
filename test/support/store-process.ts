/**
 * Child processes that host a store, for fault tests: test/support/store-child.mjs.
 */
import path from 'node:path'
import { LineProcess } from './line-process.ts'

export type ChildMode = 'write' | 'serve' | 'freeze' | 'claim' | 'script' | 'visit' | 'read'

export class StoreProcess extends LineProcess {
  constructor(
    mode: ChildMode,
    folder: string,
    options: object = {},
    wrap: string[] = [],
    env: Record<string, string> = {},
  ) {
    const script = path.resolve('test/support/store-child.mjs')
    super([...wrap, process.execPath, script, mode, folder, JSON.stringify(options)], env)
  }
}
