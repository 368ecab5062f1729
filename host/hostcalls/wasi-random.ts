/**
 * `wasi:random`: everything is recorded, and equally unpredictable.
 * Source: wasi-random, WIT of WASI 0.2.
 */
import { LoomError } from '../base/errors.ts'
import { VALUE_SIZE_MAX_BYTES } from '../base/limits.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { HostCallContext, HostFunctionSpec, HostInterfaces } from './host-interface.ts'

function randomBytes(context: HostCallContext, length: WitValue | undefined): Uint8Array {
  if (typeof length !== 'bigint' || length > BigInt(VALUE_SIZE_MAX_BYTES))
    throw new LoomError(
      'ERR_HOST_CALL',
      `the guest asked for ${length} random bytes: at most ${VALUE_SIZE_MAX_BYTES}`,
    )
  return context.random.bytes(Number(length))
}

const bytesFunction: HostFunctionSpec = {
  kind: 'recorded',
  perform: (context, [length]) => randomBytes(context, length),
}
const u64Function: HostFunctionSpec = { kind: 'recorded', perform: ({ random }) => random.u64() }

export function serveWasiRandom(interfaces: HostInterfaces): void {
  interfaces.add('wasi:random/random@0.2.0', {
    'get-random-bytes': bytesFunction,
    'get-random-u64': u64Function,
  })
  interfaces.add('wasi:random/insecure@0.2.0', {
    'get-insecure-random-bytes': bytesFunction,
    'get-insecure-random-u64': u64Function,
  })
  interfaces.add('wasi:random/insecure-seed@0.2.0', {
    'insecure-seed': {
      kind: 'recorded',
      perform: ({ random }) => [random.u64(), random.u64()],
    },
  })
}
