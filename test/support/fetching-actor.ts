// A TypeScript actor that asks servers.
import { Actor, type FetchOptions } from '../../host/index.ts'

export class Asker extends Actor<{ readonly answers: readonly string[] }> {
  static readonly initialState = { answers: [] }

  async ask(url: string, options?: FetchOptions): Promise<string> {
    const response = await this.context.fetch(url, options)
    const answer = `${response.status} ${response.text()}`
    this.updateState(({ answers }) => ({ answers: [...answers, answer] }))
    return answer
  }

  /** As `ask`, for an author who wants to go on without an answer. */
  async tryToAsk(url: string, options?: FetchOptions): Promise<string> {
    try {
      return await this.ask(url, options)
    } catch (error) {
      return `${(error as { code?: string }).code} ${JSON.stringify((error as { data?: unknown }).data)}`
    }
  }

  /** Asks twice: the second question holds the first answer. */
  async askTwice(url: string): Promise<string> {
    const first = await this.ask(url)
    return this.ask(`${url}?${encodeURIComponent(first)}`)
  }

  async headers(url: string): Promise<readonly unknown[]> {
    const response = await this.context.fetch(url)
    return [response.headers, response.header('X-Two'), response.ok, response.url]
  }

  answers(): readonly string[] {
    return this.state.answers
  }
}
