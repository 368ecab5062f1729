/**
 * Typed clients: what a guest imports to call actors whose interface it knows.
 *
 * For an interface `bank:account/account` that actors export, every guest may import
 * `bank:account/account-client`, without anybody providing it:
 *
 *     interface account-client {
 *       use account.{refusal};
 *       resource account {
 *         constructor(actor-type: string, id: string);
 *         deposit: func(amount: u64) -> result<u64, refusal>;
 *       }
 *     }
 *
 * Owns: which imports are clients, what their functions do. Does not own: finding actors and running their turns
 * (runtime/actor-calls.ts), the text of a client's WIT (guest-sdk/assemblyscript/emit-client.ts).
 *
 * Invariants:
 *   CL1. A handle stands for the name of an actor and nothing else, so it means the same after a crash. Making or
 *        dropping one asks nobody: the actor need not exist.
 *   CL2. A call is journaled with the actor's name in the place of the handle, so that a replay notices when
 *        another actor is called.
 *   CL3. What is recorded is the outcome. A failed one fails the calling turn: the client's functions have the types of
 *        the actor's own, which leave no room for it. Guests that want to go on use `loom:actor/actors`.
 *   CL4. A value is checked against the caller's types before it is recorded: its contract may be an older one.
 */
import { isLoomError, LoomError } from '../base/errors.ts'
import { isThenable } from '../base/promises.ts'
import { checkResult } from '../component/values/arguments.ts'
import type { WitFunction, WitValue } from '../component/wit/wit.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { HostCallContext, HostFunctionSpec } from './host-interface.ts'

const CLIENT = /^([^/]+\/)([a-z][a-z0-9-]*)-client(@.+)?$/

interface Client {
  /** The interface that the actors export. */
  readonly actorInterface: string
  /** Name of the resource, which is that of the interface. */
  readonly resource: string
}

interface ActorName {
  readonly actorType: string
  readonly id: string
}

/** The client that an interface's name stands for, if it stands for one. */
function clientOf(interfaceName: string): Client | null {
  const match = CLIENT.exec(interfaceName)
  if (match === null) return null
  const [, packageName = '', resource = '', version = ''] = match
  return { actorInterface: `${packageName}${resource}${version}`, resource }
}

/** True for a function that the host serves itself: an embedder cannot provide it. */
export function isClientConstructor(interfaceName: string, functionName: string): boolean {
  return functionName === `[constructor]${clientOf(interfaceName)?.resource ?? ''}`
}

function takesActorName({ params }: WitFunction): boolean {
  const [type, id, ...others] = params
  const isText = (param: typeof type, name: string): boolean =>
    param?.name === name && param.type.kind === 'string'
  return isText(type, 'actor-type') && isText(id, 'id') && others.length === 0
}

const CONSTRUCT: HostFunctionSpec = {
  kind: 'pure',
  perform: ({ resources }, [actorType, id]) => resources.add({ actorType, id }),
}

const DROP: HostFunctionSpec = {
  kind: 'pure',
  perform: ({ resources }, [rep]) => {
    resources.remove(rep as number)
    return undefined
  },
}

/** CL4. */
function recorded(outcome: TurnOutcome, func: WitFunction): WitValue {
  if (outcome.kind === 'failed') return failed(outcome.code, outcome.message)
  try {
    const val = checkResult(func, outcome.value)
    return val === undefined ? { tag: 'ok' } : { tag: 'ok', val }
  } catch (error) {
    if (!isLoomError(error)) throw error
    return failed(error.code, error.message)
  }
}

function failed(code: string, message: string): WitValue {
  return { tag: 'err', val: { code, message } }
}

type Recorded =
  | { readonly tag: 'ok'; readonly val?: WitValue }
  | { readonly tag: 'err'; readonly val: { readonly code: string; readonly message: string } }

/** CL3. */
function givenBack(given: WitValue, target: string): WitValue {
  const outcome = given as Recorded
  if (outcome.tag === 'ok') return outcome.val
  const { code, message } = outcome.val
  throw new LoomError('ERR_HOST_CALL', `${target}: ${code}: ${message}`, { data: { code } })
}

function callSpec(
  { actorInterface, resource }: Client,
  importedAs: string,
  func: WitFunction,
): HostFunctionSpec {
  const method = func.name.slice(`[method]${resource}.`.length)
  return {
    kind: 'calling',
    // CL2.
    resolve: ({ resources }: HostCallContext, [rep, ...args]: readonly WitValue[]) => [
      resources.get(rep as number),
      ...args,
    ],
    perform: (context, [name, ...args]) => {
      const { actorType: type, id } = name as unknown as ActorName
      const target = { type, id }
      const outcome = context.callActor({ target, method, args, interfaceName: actorInterface })
      return isThenable(outcome)
        ? outcome.then((later) => recorded(later, func))
        : recorded(outcome, func)
    },
    derive: (_, outcome) => givenBack(outcome, importedAs),
  }
}

/** What answers a client's function; undefined for everything else. */
export function answerClient(
  interfaceName: string,
  func: WitFunction,
): HostFunctionSpec | undefined {
  const client = clientOf(interfaceName)
  if (client === null) return undefined
  const { resource } = client
  if (func.name === `[constructor]${resource}`) return takesActorName(func) ? CONSTRUCT : undefined
  if (func.name === `[resource-drop]${resource}`) return DROP
  return func.name.startsWith(`[method]${resource}.`)
    ? callSpec(client, `${interfaceName}#${func.name}`, func)
    : undefined
}
