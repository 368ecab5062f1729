// A TypeScript actor for tests of the engine: counts, fails, waits, asks the host.
import { Actor, type ActorContext } from '../../host/index.ts'

export interface LedgerState extends Record<string, unknown> {
  readonly total: number
  readonly lines: readonly string[]
}

export class Ledger extends Actor<LedgerState> {
  static readonly initialState = { total: 0, lines: [] }
  /** Waits that a test releases by hand. */
  static waits: (() => void)[] = []
  runs = 0

  add(amount: number): number {
    this.runs++
    this.updateState((state) => ({ total: state.total + amount }))
    return this.state.total
  }

  total(): number {
    return this.state.total
  }

  async addSlowly(amount: number): Promise<number> {
    const before = this.state.total
    await new Promise<void>((resolve) => {
      Ledger.waits.push(resolve)
    })
    this.updateState({ total: before + amount })
    return this.state.total
  }

  addAndFail(amount: number): void {
    this.updateState((state) => ({ total: state.total + amount }))
    throw new Error(`refused ${amount}`)
  }

  stamp(): string {
    const line = `${this.context.now()} ${this.context.random()} ${this.context.uuid()} ${this.context.invocationId()}`
    this.updateState((state) => ({ lines: [...state.lines, line] }))
    return line
  }

  lines(): readonly string[] {
    return this.state.lines
  }

  fieldRuns(): number {
    return this.runs
  }

  mutate(): void {
    ;(this.state.lines as string[]).push('in place')
  }

  _hidden(): number {
    return 1
  }
}

export type { ActorContext }
