/**
 * Errors.
 *
 * Owns: the two ways in which a build fails that are not a bug of the SDK.
 * Does not own: how they are shown (cli.ts).
 *
 * Invariants:
 *   B1. Lines and columns are 1-based; a mistake without a place in a file has line and column 1.
 *   B2. `file` is relative to the working directory when it lies inside it, as compilers print it.
 */

export interface Mistake {
  readonly message: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** 1-based. */
  readonly column: number
}

/** The author's source cannot become a component. `mistakes` has all that were found, in file order. */
export class BuildError extends Error {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly [Mistake, ...Mistake[]]) {
    const [first] = mistakes
    super(first.message)
    this.name = 'BuildError'
    this.file = first.file
    this.line = first.line
    this.column = first.column
    this.mistakes = mistakes
  }
}

/** A build tool is not installed; the message says what to install. */
export class ToolchainError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ToolchainError'
  }
}

/** A mistake that stops the reading of one method or type; caught and collected (class-reader.ts). */
export class MistakeFound extends Error {
  readonly mistake: Mistake

  constructor(mistake: Mistake) {
    super(mistake.message)
    this.mistake = mistake
  }
}
