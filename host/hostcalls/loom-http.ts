/**
 * `loom:http/fetch` (wit/): what a guest writes and reads of an HTTP request. Sending it: fetch.ts.
 */
import type { WitValue } from '../component/wit/wit.ts'
import type { HttpHeader } from '../http/http-driver.ts'
import type { FetchOutcome, FetchRequest } from './fetch.ts'
import type { HostInterfaces } from './host-interface.ts'

/** A request as the record of the WIT. */
export function requestOf(record: WitValue): FetchRequest {
  const { method, url, headers, body, timeoutMs } = record as unknown as {
    readonly method: string
    readonly url: string
    readonly headers: readonly HttpHeader[]
    readonly body: Uint8Array | undefined
    readonly timeoutMs: number | undefined
  }
  return { method, url, headers, body: body ?? null, timeoutMs: timeoutMs ?? null }
}

/** An outcome as the result of the WIT: what is recorded. */
export function recordedFetch(outcome: FetchOutcome): WitValue {
  if (outcome.kind === 'response') {
    const { status, url, headers, body } = outcome.response
    return {
      tag: 'ok',
      val: { status, url, headers: headers.map(([name, value]) => [name, value]), body },
    }
  }
  return { tag: 'err', val: { code: outcome.code, message: outcome.message } }
}

export function serveLoomHttp(interfaces: HostInterfaces): void {
  interfaces.add('loom:http/fetch@0.1.0', {
    fetch: {
      kind: 'awaiting',
      perform: async (context, [request], index) =>
        recordedFetch(await context.fetch(requestOf(request), index)),
    },
  })
}
