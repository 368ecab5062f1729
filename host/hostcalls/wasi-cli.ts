/**
 * `wasi:cli`: an empty environment, standard streams that end in the host's log, no terminal, and an exit
 * that fails the turn.
 * Source: wasi-cli, WIT of WASI 0.2.
 */
import { LoomError } from '../base/errors.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { HostFunctionSpec, HostInterfaces } from './host-interface.ts'
import { STDERR, STDIN, STDOUT } from './wasi-io.ts'

const always = (value: WitValue): HostFunctionSpec => ({ kind: 'pure', perform: () => value })

/** What an actor has of an environment until an embedder provides one. */
const ENVIRONMENT = new Map([
  ['get-environment', always([])],
  ['get-arguments', always([])],
  ['initial-cwd', always(undefined)],
])

/** An actor does not end: the turn does, as if the guest had trapped. */
function exit(status: string): never {
  throw new LoomError('ERR_TRAP', `the guest ended its program with ${status}`, {
    data: { reason: 'exit' },
  })
}

export function serveWasiCli(interfaces: HostInterfaces): void {
  interfaces.addDefault('wasi:cli/environment@0.2.0', (_, { name }) => ENVIRONMENT.get(name))
  interfaces.add('wasi:cli/exit@0.2.0', {
    exit: {
      kind: 'pure',
      perform: (_, [status]) =>
        exit((status as { tag: string }).tag === 'ok' ? 'success' : 'failure'),
    },
    'exit-with-code': { kind: 'pure', perform: (_, [code]) => exit(`code ${code}`) },
  })
  interfaces.add('wasi:cli/stdin@0.2.0', { 'get-stdin': always(STDIN) })
  interfaces.add('wasi:cli/stdout@0.2.0', { 'get-stdout': always(STDOUT) })
  interfaces.add('wasi:cli/stderr@0.2.0', { 'get-stderr': always(STDERR) })
  for (const name of ['stdin', 'stdout', 'stderr'])
    interfaces.add(`wasi:cli/terminal-${name}@0.2.0`, {
      [`get-terminal-${name}`]: always(undefined),
    })
}
