// A component that does whatever it can to harm its host, one method for each way. Between its crimes it counts
// (`fine`), so that there is a state which a failed turn must not change.

/** Ways in which `realloc` answers, by number; 0 is how it should. */
export const REALLOC_MODES = {
  misaligned: 1,
  beyond: 2,
  negative: 3,
  trapping: 4,
  endless: 5,
  recursive: 6,
  growing: 7,
  calling: 8,
} as const

const LIB = `(core module $lib
  (import "" "tick" (func $tick))
  (memory (export "memory") 2)
  (global $mode (export "mode") (mut i32) (i32.const 0))
  (func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (block $other
      (block $calling (block $growing (block $recursive (block $endless (block $trapping
      (block $negative (block $beyond (block $misaligned (block $good
        (br_table $good $misaligned $beyond $negative $trapping $endless $recursive $growing $calling $other (global.get $mode)))
      (return (i32.const 65536)))
      (return (i32.const 65537)))
      (return (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))))
      (return (i32.const -8)))
      (unreachable))
      (loop (br 0)))
      (return (call $deep)))
      (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (return (i32.const -65536)))
      (call $tick) (return (i32.const 65536)))
    (i32.const 65536)))`

/** What destroys a node: in a table, because it needs what is made of the type that it belongs to. */
const DESTRUCTOR = `(core module $d (type $v (func (param i32)))
  (table (export "t") 1 funcref)
  (func (export "dtor") (param i32) (call_indirect (type $v) (local.get 0) (i32.const 0))))
  (core instance $d (instantiate $d))
  (type $node (resource (rep i32) (dtor (core func $d "dtor"))))
  (core func $new (canon resource.new $node))
  (core func $drop (canon resource.drop $node))
  (core func $rep (canon resource.rep $node))
  (core module $e (import "" "t" (table 1 funcref)) (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (elem (i32.const 0) $dtor)
    (func $dtor (param i32)
      ;; 1,000,000: makes another such node and drops it. Other numbers are the handle to drop.
      (if (i32.eq (local.get 0) (i32.const 1000000))
        (then (call $drop (call $new (i32.const 1000000))))
        (else (call $drop (local.get 0))))))
  (core instance (instantiate $e (with "" (instance (export "t" (table $d "t")) (export "new" (func $new)) (export "drop" (func $drop))))))`

const GROW = '(drop (memory.grow (i32.const 1600)))'
const pair = (pointer: number, length: number): string =>
  `(i32.store (i32.const 16) (i32.const ${pointer})) (i32.store (i32.const 20) (i32.const ${length}))`

/** Methods by name: the type of the core function, that of the component, and what it does. */
const METHODS: Readonly<Record<string, readonly [core: string, type: string, body: string]>> = {
  fine: [
    '(result i32)',
    '(result u32)',
    '(global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)',
  ],
  mode: ['(param i32)', '(param "n" u32)', '(global.set $mode (local.get 0))'],
  give: ['(param i32 i32) (result i32)', '(param "v" (list u32)) (result u32)', '(local.get 1)'],
  'huge-text': [
    '(result i32)',
    '(result string)',
    `${GROW} ${pair(0, 100_000_000)} (i32.const 16)`,
  ],
  'huge-bytes': [
    '(result i32)',
    '(result (list u8))',
    `${GROW} ${pair(0, 100_000_000)} (i32.const 16)`,
  ],
  'huge-tuples': [
    '(result i32)',
    '(result (list (tuple u8 u8)))',
    `${GROW} ${pair(0, 50_000_000)} (i32.const 16)`,
  ],
  // A hundred times the same megabyte.
  'huge-overlap': [
    '(result i32)',
    '(result (list (list u8)))',
    `(local $i i32) ${GROW} (loop
      (i32.store (i32.add (i32.const 2000000) (i32.mul (local.get $i) (i32.const 8))) (i32.const 0))
      (i32.store (i32.add (i32.const 2000004) (i32.mul (local.get $i) (i32.const 8))) (i32.const 1000000))
      (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
     ${pair(2_000_000, 100)} (i32.const 16)`,
  ],
  'huge-length': ['(result i32)', '(result (list u64))', `${pair(0, -1)} (i32.const 16)`],
  'huge-call': ['', '', `${GROW} (call $tell (i32.const 0) (i32.const 100000000))`],
  'bad-text': [
    '(result i32)',
    '(result string)',
    `(i32.store8 (i32.const 64) (i32.const 255)) ${pair(64, 1)} (i32.const 16)`,
  ],
  'bad-pointer': ['(result i32)', '(result string)', '(i32.const -4)'],
  spin: ['', '', '(loop (br 0))'],
  recurse: ['', '', '(call $recurse)'],
  bomb: ['', '', '(loop (drop (memory.grow (i32.const 64))) (br 0))'],
  overwrite: ['', '', '(memory.fill (i32.const 0) (i32.const 255) (i32.const 131072)) unreachable'],
  'handle-bomb': ['', '', '(loop (drop (call $new (i32.const 1))) (br 0))'],
  // The first handle is 1; its destructor drops handle 1, which is itself.
  'drop-itself': ['', '', '(call $drop (call $new (i32.const 1)))'],
  // Two nodes, each of which drops the other.
  'drop-each-other': [
    '',
    '',
    '(drop (call $new (i32.const 2))) (drop (call $new (i32.const 1))) (call $drop (i32.const 1))',
  ],
  'drop-for-ever': ['', '', '(call $drop (call $new (i32.const 1000000)))'],
  'forged-handle': ['', '', '(drop (call $rep (i32.const 7)))'],
  'give-twice': [
    '',
    '',
    `(local $h i32) (local.set $h (call $make (i32.const 5)))
     (i32.store (i32.const 64) (local.get $h)) (i32.store (i32.const 68) (local.get $h))
     (call $take (i32.const 64) (i32.const 2))`,
  ],
  'lend-and-give': [
    '',
    '',
    '(local $h i32) (local.set $h (call $make (i32.const 5))) (call $both (local.get $h) (local.get $h))',
  ],
}

const IMPORTS = {
  new: '(param i32) (result i32)',
  drop: '(param i32)',
  rep: '(param i32) (result i32)',
  make: '(param i32) (result i32)',
  take: '(param i32 i32)',
  both: '(param i32 i32)',
  tell: '(param i32 i32)',
} as const

export const HOSTILE_HOST = 'test:hostile/host'

export function hostileComponent(): string {
  const names = Object.keys(IMPORTS)
  const memory = '(memory (core memory $lib "memory"))'
  const realloc = '(realloc (core func $lib "realloc"))'
  return `(component
  (import "${HOSTILE_HOST}" (instance $h
    (export "thing" (type $t (sub resource)))
    (export "[constructor]thing" (func (param "rep" u32) (result (own $t))))
    (export "take" (func (param "things" (list (own $t)))))
    (export "both" (func (param "lent" (borrow $t)) (param "given" (own $t))))
    (export "tell" (func (param "text" string)))
    (export "tick" (func))))
  (core func $tick (canon lower (func $h "tick")))
  ${LIB}
  (core instance $lib (instantiate $lib (with "" (instance (export "tick" (func $tick))))))
  ${DESTRUCTOR}
  (core func $make (canon lower (func $h "[constructor]thing")))
  (core func $take (canon lower (func $h "take") ${memory}))
  (core func $both (canon lower (func $h "both")))
  (core func $tell (canon lower (func $h "tell") ${memory}))
  (core module $m
    (import "lib" "memory" (memory 2)) (import "lib" "mode" (global $mode (mut i32)))
    ${Object.entries(IMPORTS)
      .map(([name, type]) => `(import "" "${name}" (func $${name} ${type}))`)
      .join('\n')}
    (global $n (mut i32) (i32.const 0))
    ${Object.entries(METHODS)
      .map(([name, [core, , body]]) => `(func $${name} (export "${name}") ${core} ${body})`)
      .join('\n')})
  (core instance $m (instantiate $m (with "lib" (instance $lib)) (with "" (instance
    ${names.map((name) => `(export "${name}" (func $${name}))`).join(' ')}))))
  ${Object.entries(METHODS)
    .map(
      ([name, [, type]]) =>
        `(func (export "${name}") ${type} (canon lift (core func $m "${name}") ${memory} ${realloc}))`,
    )
    .join('\n')})`
}
