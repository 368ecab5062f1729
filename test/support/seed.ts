// Seeds of property tests: new on every run, printed, and repeatable with LOOM_SEED=<seed>.
export const FIXED_SEED = 20_261_122

/** What LOOM_SEED asks for; undefined where it asks for nothing. */
function givenSeed(): number | undefined {
  const given = Number(process.env.LOOM_SEED)
  return given > 0 ? given : undefined
}

export function seedOf(what: string): number {
  const seed = givenSeed() ?? Math.trunc(Math.random() * 2 ** 31)
  process.stderr.write(`${what}: LOOM_SEED=${seed}\n`)
  return seed
}

/**
 * A seed that is the same on every run, which finds what a change breaks, and `freshCount` fresh ones, which find
 * more. LOOM_SEED asks for one alone.
 */
export function seedsOf(what: string, freshCount = 1): readonly number[] {
  if (givenSeed() !== undefined) return [seedOf(what)]
  return [FIXED_SEED, ...Array.from({ length: freshCount }, () => seedOf(what))]
}

/** Xorshift: a small seeded source of choices. */
export function choices(seed: number): (count: number) => number {
  let state = seed || 1
  return (count) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % count
  }
}
