// A TypeScript actor with large arguments, results, host results and values.
import { Actor } from '../../host/index.ts'

export class Hoarder extends Actor<{ readonly count: number }> {
  static readonly initialState = { count: 0 }

  /** Returns what it was given, `times` over. */
  echo(text: string, times = 1): string {
    this.updateState(({ count }) => ({ count: count + 1 }))
    return text.repeat(times)
  }

  keep(key: string, size: number): void {
    this.context.simpleState.set(key, 'v'.repeat(size))
  }

  /** What it was told is recorded; the result is small. */
  async sizeOf(key: string): Promise<number> {
    return (await this.context.simpleState.get<string>(key))?.length ?? -1
  }

  async callAndEcho(other: string, text: string): Promise<string> {
    return this.context.call<string>({ type: 'Hoarder', id: other }, 'echo', text)
  }

  count(): number {
    return this.state.count
  }
}
