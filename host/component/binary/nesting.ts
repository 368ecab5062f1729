/**
 * Nesting: what the scopes of a component share, whether it is validated or linked.
 *
 * Owns: the way outwards, and the refusal of indices that stand for nothing. Does not own: what an index stands for
 * (validate/scope.ts, link/scope.ts).
 *
 * Source: Component Model Explainer.md, "Index Spaces", "Alias Definitions".
 */
import { formatError } from '../refuse.ts'

export abstract class Nesting<Scope extends Nesting<Scope>> {
  readonly parent: Scope | null
  /** Offset of the definition that is looked at, for messages. */
  offset = 0

  constructor(parent: Scope | null) {
    this.parent = parent
  }

  /** False for component and instance types. */
  protected abstract get isComponent(): boolean
  protected abstract get self(): Scope

  fail(message: string): never {
    throw formatError(message, this.offset)
  }

  at<Entry>(space: readonly Entry[], index: number, what: string): Entry {
    const entry = space[index]
    if (entry === undefined) this.fail(`${what} ${index} does not exist; there are ${space.length}`)
    return entry
  }

  /** The scope `count` levels outwards. */
  outer(count: number): Scope {
    let scope = this.self
    for (let level = 0; level < count; level++) {
      if (scope.parent === null)
        this.fail(`outer alias: there are fewer than ${count} scopes outside`)
      scope = scope.parent
    }
    return scope
  }

  /** Whether the way `count` levels outwards leaves a component, rather than types alone. */
  leavesComponent(count: number): boolean {
    let scope: Scope | null = this.self
    for (let level = 0; level < count && scope !== null; level++) {
      if (scope.isComponent) return true
      scope = scope.parent
    }
    return false
  }
}
