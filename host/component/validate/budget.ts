/**
 * Budget: what validating one component may cost.
 *
 * Owns: the count of steps, the numbers of resource types.
 *
 * Invariant VB1. Work is bounded by STEP_COUNT_MAX, however parts of the binary are shared or nested: whoever walks
 * something that is larger than its bytes spends a step for each part.
 */
import { formatError } from '../refuse.ts'

/** A step is a part of a type that is looked at, or made anew: at most a microsecond on an idle machine. */
const STEP_COUNT_MAX = 2_000_000

export class Budget {
  #stepCount = 0
  #resourceCount = 0

  /** @throws ERR_COMPONENT_FORMAT */
  spend(steps: number): void {
    this.#stepCount += steps
    if (this.#stepCount > STEP_COUNT_MAX)
      throw formatError(`validation takes more than ${STEP_COUNT_MAX} steps`)
  }

  /** The number of a resource type that is no other one. */
  newResource(): number {
    return this.#resourceCount++
  }
}
