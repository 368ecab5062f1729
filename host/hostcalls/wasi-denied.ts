/**
 * `wasi:filesystem` and `wasi:sockets`: there are no files and no network, so what is imported is denied
 * (denied.ts). No file is open at the start, hence nothing that needs a descriptor can be reached.
 * Source: wasi-filesystem and wasi-sockets, WIT of WASI 0.2.
 */
import { deniedFunction } from './denied.ts'
import type { HostInterfaces } from './host-interface.ts'

const SOCKETS = [
  'network',
  'tcp',
  'tcp-create-socket',
  'udp',
  'udp-create-socket',
  'ip-name-lookup',
]

/** A network that allows nothing: libraries ask for it before they try, and are told then. */
const NETWORK = 0

export function serveWasiDenied(interfaces: HostInterfaces): void {
  interfaces.add('wasi:filesystem/preopens@0.2.0', {
    'get-directories': { kind: 'pure', perform: () => [] },
  })
  interfaces.add('wasi:sockets/instance-network@0.2.0', {
    'instance-network': { kind: 'pure', perform: () => NETWORK },
  })
  interfaces.addWhole('wasi:filesystem/types@0.2.0', deniedFunction)
  for (const name of SOCKETS) interfaces.addWhole(`wasi:sockets/${name}@0.2.0`, deniedFunction)
}
