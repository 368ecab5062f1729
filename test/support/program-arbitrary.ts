// Random core modules that end: every loop counts down. Each statement adds 1 to `$steps`, so that fuel can be
// compared with what ran.
import fc from 'fast-check'

/** Instructions of `STEP`: a lower bound of what a statement runs. */
export const STEP_INSTRUCTIONS = 4
const STEP = '(global.set $steps (i64.add (global.get $steps) (i64.const 1)))'
const LOOP_DEPTH_MAX = 3

const local = fc.constantFrom('$a', '$b', '$c')

const { expression } = fc.letrec<{ expression: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    local.map((name) => `(local.get ${name})`),
    fc.integer({ min: -9, max: 300 }).map((value) => `(i32.const ${value})`),
    fc.constantFrom('(global.get $g)', '(memory.size)', '(global.get $fixed)'),
  ),
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc
      .tuple(
        fc.constantFrom('add', 'sub', 'mul', 'xor', 'div_s', 'rem_u', 'shl', 'lt_s', 'eq'),
        tie('expression'),
        tie('expression'),
      )
      .map(([op, a, b]) => `(i32.${op} ${a} ${b})`),
    tie('expression').map((a) => `(i32.load16_u (i32.and ${a} (i32.const 0xfffc)))`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([a, b, c]) => `(select ${a} ${b} ${c})`),
    tie('expression').map((a) => `(call_indirect (type $unary) ${a} (i32.const 0))`),
    tie('expression').map((a) => `(i32.wrap_i64 (i64.extend_i32_s (i32.extend8_s ${a})))`),
    tie('expression').map((a) => `(i32.trunc_sat_f64_s (f64.sqrt (f64.convert_i32_s ${a})))`),
    tie('expression').map((a) => `(i32x4.extract_lane 2 (i32x4.splat ${a}))`),
  ),
}))

function nested(body: fc.Arbitrary<string>, depth: number): fc.Arbitrary<string>[] {
  const loop = fc.tuple(fc.integer({ min: 1, max: 5 }), body).map(
    ([count, inside]) =>
      `(local.set $n${depth} (i32.const ${count}))
         (loop ${inside}
           (br_if 0 (local.tee $n${depth} (i32.sub (local.get $n${depth}) (i32.const 1)))))`,
  )
  return [
    loop,
    fc
      .tuple(expression, body, body)
      .map(([test, yes, no]) => `(if ${test} (then ${yes}) (else ${no}))`),
    fc.tuple(body, expression, body).map(([a, test, b]) => `(block ${a} (br_if 0 ${test}) ${b})`),
    fc
      .tuple(expression, body, body, body)
      .map(
        ([on, a, b, c]) =>
          `(block (block (block (br_table 0 1 2 (i32.and ${on} (i32.const 3)))) ${a} (br 1)) ${b}) ${c}`,
      ),
  ]
}

const simple = fc.oneof(
  fc.tuple(local, expression).map(([name, value]) => `(local.set ${name} ${value})`),
  expression.map((value) => `(global.set $g ${value})`),
  fc
    .tuple(expression, expression)
    .map(([at, value]) => `(i32.store (i32.and ${at} (i32.const 0xfffc)) ${value})`),
  fc
    .tuple(expression, expression)
    .map(
      ([at, size]) =>
        `(memory.fill (i32.and ${at} (i32.const 0x7fff)) (i32.const 7) (i32.and ${size} (i32.const 0xff)))`,
    ),
  fc.constant('(memory.copy (i32.const 64) (i32.const 0) (i32.const 99))'),
  expression.map((value) => `(local.set $a (memory.grow (i32.and ${value} (i32.const 3))))`),
)

function statements(depth: number): fc.Arbitrary<string> {
  const inner =
    depth >= LOOP_DEPTH_MAX
      ? []
      : nested(
          fc.constant('').chain(() => statements(depth + 1)),
          depth,
        )
  const one = fc.oneof(simple, simple, ...inner).map((text) => `${STEP} ${text}`)
  return fc.array(one, { maxLength: depth === 0 ? 6 : 3 }).map((all) => all.join('\n'))
}

export interface Program {
  readonly text: string
  readonly args: readonly [number, number]
}

/** A module that exports `run`, `memory`, `g` and `steps`. */
export const programs: fc.Arbitrary<Program> = fc
  .record({ main: statements(0), args: fc.tuple(fc.integer(), fc.integer()) })
  .map(({ main, args }) => ({
    args,
    text: `(module
      (type $unary (func (param i32) (result i32)))
      (memory (export "memory") 1 6)
      (table funcref (elem $half))
      (global $fixed i32 (i32.const 12))
      (global $g (export "g") (mut i32) (i32.const 3))
      (global $steps (export "steps") (mut i64) (i64.const 0))
      (func $half (param i32) (result i32) ${STEP} (i32.shr_s (local.get 0) (i32.const 1)))
      (func (export "run") (param $a i32) (param $b i32) (result i32)
        (local $c i32) (local $n0 i32) (local $n1 i32) (local $n2 i32)
        ${main}
        (i32.add (local.get $a) (i32.xor (local.get $b) (local.get $c)))))`,
  }))
