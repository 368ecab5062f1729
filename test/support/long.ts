/** LOOM_LONG multiplies what randomized and fault tests do: 1 in CI, more by `npm run test:long`. */
const given = Number(process.env.LOOM_LONG ?? 1)
if (!(given >= 1)) throw new Error(`LOOM_LONG ${process.env.LOOM_LONG}: expected a number from 1`)

export const isLong = given > 1

export const times = (count: number): number => Math.round(count * given)
