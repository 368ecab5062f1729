// The guests that every language must have, for the shared suite. A new language is one more line.

import type { Component, ComponentInstance, HostFunction } from '../../host/component/component.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import type { WitFunction, WitValue } from '../../host/component/wit/wit.ts'

export interface Language {
  readonly language: string
  /** Components of test/fixtures/components that export loom:counter/counter, loom:bank/account, ... */
  readonly counter: string
  readonly bank: string
  /** loom:probe/probe: what its SDK offers beside the interface. */
  readonly probe: string
  /** Calls take microseconds: tests that make very many of them make fewer. */
  readonly isInterpreted?: true
}

export const LANGUAGES: readonly Language[] = [
  {
    language: 'AssemblyScript',
    counter: 'counter',
    bank: 'bank',
    probe: 'probe-assemblyscript',
  },
  { language: 'Rust', counter: 'counter-rust', bank: 'bank-rust', probe: 'probe-rust' },
  { language: 'C', counter: 'counter-c', bank: 'bank-c', probe: 'probe-c' },
  {
    language: 'JavaScript and TypeScript',
    counter: 'counter-ts',
    bank: 'bank-js',
    probe: 'probe-js',
    isInterpreted: true,
  },
]

/** A guest on the binder, without a runtime around it. */
export interface Guest {
  readonly instance: ComponentInstance
  call(method: string, ...args: readonly unknown[]): WitValue
}

/**
 * What the host answers: it depends on the number of the call alone, so that two instances that get the same
 * calls get the same answers.
 */
export class HostAnswers {
  callNumber = 0

  resolve = (_interface: string, func: WitFunction): HostFunction => {
    if (func.name === 'now')
      return () => ({ seconds: BigInt(this.callNumber), nanoseconds: 5_000_000 })
    if (func.name === 'log') return () => undefined
    if (func.name.startsWith('[')) return CLIENT[func.name] ?? refuseToAnswer(func.name)
    return refuseToAnswer(func.name)
  }
}

/** Another bank account, which takes whatever it is given. */
const CLIENT: Readonly<Record<string, HostFunction>> = {
  '[constructor]account': () => 7,
  '[method]account.deposit': () => ({ tag: 'ok' }),
  '[resource-drop]account': () => undefined,
}

function refuseToAnswer(name: string): HostFunction {
  return () => {
    throw new Error(`no host function ${name}`)
  }
}

export function startGuest(component: Component, answers: HostAnswers): Guest {
  const instance = component.instantiate(answers.resolve)
  const targets = new Map(component.exports.map((target) => [target.func.name, target]))
  return {
    instance,
    call(method, ...args) {
      const target = targets.get(method)
      if (target === undefined) throw new Error(`no method ${method}`)
      return instance.call(target, checkArguments(target.func, args))
    },
  }
}

/** One call: a method and its arguments. */
export type Call = readonly [method: string, ...args: readonly unknown[]]

/** Repeatable choices. Numerical Recipes' generator: good enough to pick calls, and the same everywhere. */
export class Choices {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }
}

export function counterCall(choices: Choices): Call {
  return choices.below(4) === 0 ? ['value'] : ['increment', choices.below(2 ** 32)]
}

/** The guests of tests that make many calls. */
export const GUESTS = LANGUAGES.flatMap(({ language, counter, bank, isInterpreted = false }) => [
  { name: `${language} counter`, file: counter, next: counterCall, isInterpreted },
  { name: `${language} bank`, file: bank, next: bankCall, isInterpreted },
])

const LARGEST = 2n ** 64n - 1n
const OWNERS = ['ada', 'Zoë 🦀', '', 'x'.repeat(500)]

function amount(choices: Choices): bigint {
  const kind = choices.below(20)
  if (kind === 0) return 0n
  if (kind === 1) return [LARGEST, 2n ** 63n, 2n ** 63n - 1n][choices.below(3)] ?? 0n
  return BigInt(choices.below(1_000))
}

/** Id of the account that transfers go to. */
export const OTHER = 'other'

export function bankCall(choices: Choices): Call {
  const kind = choices.below(20)
  if (kind === 0) return ['open', OWNERS[choices.below(OWNERS.length)]]
  if (kind < 8) return ['deposit', amount(choices)]
  if (kind < 13) return ['withdraw', amount(choices)]
  if (kind < 16) return ['transfer', 'Guest', OTHER, amount(choices)]
  return [kind < 18 ? 'balance' : 'statement']
}
