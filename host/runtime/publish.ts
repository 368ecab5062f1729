/**
 * Publishing: a component becomes an actor type.
 */
import { wasmProgram } from '../actor/program/wasm-program.ts'
import { type Digest, digestOf } from '../base/digest.ts'
import { LoomError } from '../base/errors.ts'
import { COMPONENT_SIZE_MAX_BYTES } from '../base/limits.ts'
import { checkTypeName } from '../base/names.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { providedInterface } from '../hostcalls/provided.ts'
import type { MethodDescription, ProvidedInterface } from './api.ts'
import { standardInterfaces } from './standard-interfaces.ts'
import { TYPE_NAME_PREFIX } from './type-registry.ts'

export interface PublishOptions {
  readonly blobs: BlobStore
  readonly bytes: Uint8Array
  /** Actors of this type that are created from now on run the component. */
  readonly typeName: string
  /** Name of the blob itself, such as `counter.wasm`. */
  readonly fileName?: string
  /** Interfaces that the serving hosts will provide beside the standard ones. */
  readonly provided?: Readonly<Record<string, ProvidedInterface>>
}

export interface Published {
  readonly digest: Digest
  readonly methods: readonly MethodDescription[]
}

/**
 * Validates a component, stores it, and points the type's name to it.
 * @throws ERR_NAME, ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE, ERR_COMPONENT_IMPORT; nothing is stored.
 */
export async function publishComponent(options: PublishOptions): Promise<Published> {
  const { blobs, bytes, typeName, fileName, provided = {} } = options
  checkTypeName(typeName)
  if (bytes.length > COMPONENT_SIZE_MAX_BYTES)
    throw new LoomError(
      'ERR_COMPONENT_FORMAT',
      `a component of ${bytes.length} bytes: at most ${COMPONENT_SIZE_MAX_BYTES} are allowed`,
    )
  const interfaces = standardInterfaces()
  for (const [name, functions] of Object.entries(provided))
    interfaces.add(name, providedInterface(name, functions))
  const program = await wasmProgram({
    bytes,
    digest: digestOf(bytes),
    interfaces,
    checkImports: true,
    parks: false,
  })
  program.withLimits({})
  if (program.methods.length === 0)
    throw new LoomError('ERR_COMPONENT_FORMAT', 'component: it exports no function, so no method')
  const digest = await blobs.put(bytes)
  if (fileName !== undefined) await blobs.setName(fileName, digest)
  await blobs.setName(TYPE_NAME_PREFIX + typeName, digest)
  const methods = program.methods.map(({ name, signature }) => ({ name, signature }))
  return { digest, methods }
}
