/**
 * The HttpDriver contract: one exchange of a request and a response with a server.
 *
 * Invariants:
 *   HD1. No address is connected to that `mayConnect` refuses, whatever a name resolves to: the address that was
 *        checked is the one that is used.
 *   HD2. An exchange is sent once: it is not repeated, redirected, cached, or sent through a proxy; no credentials
 *        and no cookies of the host are in it.
 *   HD3. No more than `bodyBytesMax` of a body are kept, and the body is not decompressed.
 */

export type HttpHeader = readonly [name: string, value: string]

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array | null
  readonly bodyBytesMax: number
  /** Whether an address may be connected to. */
  readonly mayConnect: (address: string) => boolean
  /** Gives the exchange up. */
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  /** As they came. */
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array
}

/** address: `mayConnect` refused it, nothing was sent. connection: none, or it broke. too-large: HD3. */
export type HttpFailureReason = 'address' | 'connection' | 'too-large'

export class HttpFailure extends Error {
  readonly reason: HttpFailureReason

  constructor(reason: HttpFailureReason, message: string) {
    super(message)
    this.reason = reason
  }
}

export interface HttpDriver {
  /** Rejects with HttpFailure, and when it is given up. */
  exchange(request: HttpRequest): Promise<HttpAnswer>
}
