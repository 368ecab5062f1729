// What every bank must answer, whatever language it is written in (actors/bank/account.wit).
import fc from 'fast-check'

const U64_MAX = 2n ** 64n - 1n

export interface BankCall {
  readonly method: 'open' | 'deposit' | 'withdraw' | 'balance'
  readonly args: readonly unknown[]
}

export class BankModel {
  #isOpen = false
  #balance = 0n

  call({ method, args }: BankCall): unknown {
    const amount = args[0] as bigint
    switch (method) {
      case 'open': {
        if (this.#isOpen) return refused('already-open')
        this.#isOpen = true
        return { tag: 'ok' }
      }
      case 'deposit': {
        if (!this.#isOpen) return refused('not-open')
        if (this.#balance + amount > U64_MAX) return refused('overflow')
        this.#balance += amount
        return { tag: 'ok', val: this.#balance }
      }
      case 'withdraw': {
        if (!this.#isOpen) return refused('not-open')
        if (amount > this.#balance) return refused('insufficient', this.#balance)
        this.#balance -= amount
        return { tag: 'ok', val: this.#balance }
      }
      case 'balance':
        return this.#balance
    }
  }
}

function refused(tag: string, val?: bigint): unknown {
  return { tag: 'err', val: val === undefined ? { tag } : { tag, val } }
}

const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 100n }),
  fc.constantFrom(0n, 1n, U64_MAX, U64_MAX - 1n, 2n ** 63n),
)

export const bankCall: fc.Arbitrary<BankCall> = fc.oneof(
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map((owner) => call('open', owner)) },
  { weight: 4, arbitrary: amount.map((value) => call('deposit', value)) },
  { weight: 4, arbitrary: amount.map((value) => call('withdraw', value)) },
  { weight: 1, arbitrary: fc.constant(call('balance')) },
)

function call(method: BankCall['method'], ...args: readonly unknown[]): BankCall {
  return { method, args }
}
