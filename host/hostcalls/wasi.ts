/** WASI 0.2: what standard Rust, C and JavaScript programs need to start and run (wit/README.md). */
import type { HostInterfaces } from './host-interface.ts'
import { serveWasiCli } from './wasi-cli.ts'
import { serveWasiClocks } from './wasi-clocks.ts'
import { serveWasiDenied } from './wasi-denied.ts'
import { serveWasiIo } from './wasi-io.ts'
import { serveWasiRandom } from './wasi-random.ts'

export function serveWasi(interfaces: HostInterfaces): void {
  serveWasiCli(interfaces)
  serveWasiClocks(interfaces)
  serveWasiIo(interfaces)
  serveWasiRandom(interfaces)
  serveWasiDenied(interfaces)
}
