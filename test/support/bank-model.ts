// What every bank account must answer, whatever language it is written in (actors/bank/account.wit).
import type { WitValue } from '../../host/index.ts'

/** What an account holds at most. */
const HELD_MAX = 2n ** 63n - 1n
const STATEMENT_LENGTH = 10

interface Movement {
  readonly [field: string]: bigint
}

const done: WitValue = { tag: 'ok' }

function refused(name: string, val?: WitValue): WitValue {
  return { tag: 'err', val: val === undefined ? { tag: name } : { tag: name, val } }
}

export class BankModel {
  /** Lines for the host's log. */
  readonly lines: string[] = []
  #owner: string | null = null
  #balance = 0n
  #movements: readonly Movement[] = []
  readonly #accountOf: (id: string) => BankModel

  /** `accountOf`: those that transfers go to. */
  constructor(accountOf: (id: string) => BankModel = () => new BankModel()) {
    this.#accountOf = accountOf
  }

  call(method: string, args: readonly unknown[], at: bigint): WitValue {
    if (method === 'open') return this.#open(String(args[0]))
    if (this.#owner === null) return refused('not-open')
    if (method === 'balance') return { tag: 'ok', val: this.#balance }
    if (method === 'statement') return { tag: 'ok', val: this.#movements }
    const amount = args.at(-1) as bigint
    if (amount === 0n || amount > HELD_MAX) return refused('bad-amount')
    if (method === 'deposit') return this.#move(amount, at)
    if (amount > this.#balance) {
      const missing = amount - this.#balance
      this.lines.push(`warn insufficient: ${missing} missing`)
      return refused('insufficient', missing)
    }
    if (method === 'transfer') {
      const receiver = this.#accountOf(String(args[1]))
      if (receiver.call('deposit', [amount], at) !== done) return refused('no-receiver')
    }
    return this.#move(-amount, at)
  }

  #open(owner: string): WitValue {
    if (this.#owner !== null) {
      this.lines.push(`warn already open: ${this.#owner}`)
      return refused('already-open', this.#owner)
    }
    this.#owner = owner
    return done
  }

  #move(amount: bigint, at: bigint): WitValue {
    const balance = this.#balance + amount
    if (balance > HELD_MAX) return refused('bad-amount')
    this.#balance = balance
    this.#movements = [...this.#movements, { at, amount, balance }].slice(-STATEMENT_LENGTH)
    return done
  }
}
