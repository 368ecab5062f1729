// What must hold of the journals of a bank's accounts: test/support/host-child.mjs and test/sim/effects.test.ts have one.
import { expect } from 'vitest'

export interface CheckedTurn {
  readonly key: string | null
  readonly method: string
  readonly args: readonly unknown[]
  readonly outcome: { readonly kind: string; readonly value?: unknown }
}

/** An actor's journal. */
export interface CheckedJournal {
  readonly type: string
  readonly id: string
  readonly turns: readonly CheckedTurn[]
}

/** What one transfer has to give, by the id of each deposit. */
function depositsOf({ method, args, outcome }: CheckedTurn): readonly [string, string, number][] {
  const [transfer, to, amount] = args as [string, string, number]
  if (method === 'pay') return [[transfer, to, amount]]
  if (method === 'transfer' || method === 'relay')
    return outcome.value === 'moved' ? [[transfer, to, amount]] : []
  // How it was split is in the journal only.
  return method === 'split'
    ? [
        [`${transfer}:first`, to, Number.NaN],
        [`${transfer}:second`, to, Number.NaN],
      ]
    : []
}

/** Every transfer has its deposits, once, and there is no other. Returns how many there were. */
export function checkTransfers(actors: readonly CheckedJournal[]): number {
  const deposits = new Map<string, number>()
  for (const { type, id, turns } of actors)
    for (const { method, args, outcome } of turns) {
      if (type !== 'Account' || method !== 'deposit' || outcome.kind === 'failed') continue
      const name = `${args[0]} to ${id}`
      expect(deposits.has(name), `deposited twice: ${name}`).toBe(false)
      deposits.set(name, args[1] as number)
    }
  let count = 0
  for (const { type, turns } of actors)
    for (const turn of turns) {
      if (type !== 'Account' || turn.outcome.kind !== 'returned') continue
      let amount = 0
      const due = depositsOf(turn)
      for (const [transfer, to, part] of due) {
        const deposited = deposits.get(`${transfer} to ${to}`)
        if (deposited === undefined) throw new Error(`never arrived: ${transfer} to ${to}`)
        if (!Number.isNaN(part)) expect(deposited).toBe(part)
        amount += deposited
        deposits.delete(`${transfer} to ${to}`)
      }
      if (due.length > 0) expect(amount).toBe(turn.args[2])
      count += due.length
    }
  expect([...deposits.keys()], 'deposits of no transfer').toEqual([])
  return count
}
