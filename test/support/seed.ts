// Seeds of property tests: new on every run, printed, and repeatable with LOOM_SEED=<seed>.
export function seedOf(what: string): number {
  const given = Number(process.env.LOOM_SEED)
  const seed = given > 0 ? given : Math.trunc(Math.random() * 2 ** 31)
  process.stderr.write(`${what}: LOOM_SEED=${seed}\n`)
  return seed
}
