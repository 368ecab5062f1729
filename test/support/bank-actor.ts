// TypeScript actors that act on each other: for tests of effects and of calls between actors.
import { Actor, type ActorTarget, type Runtime, type RuntimeOptions } from '../../host/index.ts'
import { openHost } from './host.ts'

export const peer = (id: string): ActorTarget => ({ type: 'Peer', id })

interface PeerState extends Record<string, unknown> {
  readonly balance: number
  readonly heard: readonly string[]
}

export class Peer extends Actor<PeerState> {
  static readonly initialState = { balance: 0, heard: [] }
  /** Turns that ran, replays included: to be reset by tests that count. */
  static runs = 0
  static waits: (() => void)[] = []

  deposit(amount: number): number {
    this.updateState(({ balance }) => ({ balance: balance + amount }))
    return this.state.balance
  }

  withdraw(amount: number): number {
    if (amount > this.state.balance) throw new Error(`only ${this.state.balance} left`)
    return this.deposit(-amount)
  }

  balance(): number {
    return this.state.balance
  }

  /** By request and response. */
  async transfer(to: string, amount: number): Promise<string> {
    Peer.runs++
    this.withdraw(amount)
    try {
      const theirs = await this.context.call<number>(peer(to), 'deposit', amount)
      return `${this.state.balance} ${theirs}`
    } catch (error) {
      this.deposit(amount)
      return `refused: ${(error as { code?: string }).code}`
    }
  }

  /** One way. */
  pay(to: string, amount: number): void {
    this.withdraw(amount)
    this.context.send(peer(to), 'deposit', amount)
  }

  payAndFail(to: string, amount: number): void {
    this.pay(to, amount)
    throw new Error('after all, no')
  }

  payLater(to: string, amount: number, delayMs: number): void {
    this.withdraw(amount)
    this.context.sendLater(delayMs, peer(to), 'deposit', amount)
  }

  tell(to: string, texts: readonly string[]): void {
    for (const text of texts) this.context.send(peer(to), 'hear', text)
  }

  hear(text: string): void {
    const { caller } = this.context
    const by = caller === null ? 'outside' : `${caller.type}/${caller.id}`
    this.updateState(({ heard }) => ({ heard: [...heard, `${by}: ${text}`] }))
  }

  heard(): readonly string[] {
    return this.state.heard
  }

  sendNowhere(): void {
    this.context.send(peer('nobody'), 'no-such-method')
  }

  async callThrough(ids: readonly string[]): Promise<string> {
    const [next, ...rest] = ids
    if (next === undefined) return 'end'
    try {
      return await this.context.call<string>(peer(next), 'callThrough', rest)
    } catch (error) {
      return `${(error as { code?: string }).code}`
    }
  }

  async waitFor(to: string): Promise<string> {
    return await this.context.call<string>(peer(to), 'wait')
  }

  async wait(): Promise<string> {
    await new Promise<void>((resolve) => {
      Peer.waits.push(resolve)
    })
    return 'waited'
  }

  async write(key: string, value: unknown): Promise<unknown> {
    const before = await this.simpleState.get(key)
    if (value === null) this.simpleState.delete(key)
    else this.simpleState.set(key, value)
    return [before, await this.simpleState.get(key)]
  }

  async writeAndFail(key: string, value: unknown): Promise<void> {
    this.simpleState.set(key, value)
    await this.simpleState.get('other')
    throw new Error('no')
  }

  async keys(prefix: string): Promise<readonly string[]> {
    return await this.simpleState.keys({ prefix })
  }
}

/** A host of peers. */
export async function openPeers(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await openHost(options)
  await runtime.registerActorType('Peer', { type: 'typescript', actorClass: Peer })
  return runtime
}

export async function callPeer(
  runtime: Runtime,
  id: string,
  method: string,
  ...args: unknown[]
): Promise<unknown> {
  const actor = await runtime.getActor(id, 'Peer')
  return await actor.call(method, ...args)
}
