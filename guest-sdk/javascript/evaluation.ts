/**
 * What an engine is asked for.
 *
 * Owns: the names of the engines that an actor may be built on, and what it means when one refuses.
 * Does not own: how one is asked (engine.ts), in what their values differ (runtime/engine-*.js).
 */

export const ENGINES = ['quickjs', 'starlingmonkey'] as const
export type Engine = (typeof ENGINES)[number]

export function isEngine(name: unknown): name is Engine {
  return ENGINES.some((known) => known === name)
}

export interface Evaluation {
  /** The author's folder: an engine that is not part of this package is looked for from there. */
  readonly dir: string
  /** The WIT and everything that it refers to. */
  readonly wit: string
  readonly world: string
  /** One script. */
  readonly source: string
  /** Run the jobs of promises. */
  readonly jobs: boolean
}

/** The source could not be evaluated; `message` is the engine's. */
export class EvaluationError extends Error {}
