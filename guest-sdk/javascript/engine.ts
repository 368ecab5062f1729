/**
 * Evaluating a script on an engine.
 *
 * Owns: which program makes the component. Does not own: the programs (quickjs.ts, starlingmonkey.ts).
 */
import type { Engine, Evaluation } from './evaluation.ts'
import { componentizeQuickJs } from './quickjs.ts'
import { componentizeStarlingMonkey } from './starlingmonkey.ts'

/**
 * The component of a script that was evaluated once, and whose state is its initial state.
 * @throws EvaluationError, or ToolchainError when the engine's package is missing or another than expected.
 */
export function componentize(engine: Engine, evaluation: Evaluation): Promise<Uint8Array> {
  return engine === 'quickjs'
    ? componentizeQuickJs(evaluation)
    : componentizeStarlingMonkey(evaluation)
}
