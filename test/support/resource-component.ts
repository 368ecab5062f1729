// A component with resources on both sides, for tests of handle tables. `user`, the root's core module, may
// do anything with any number as a handle:
//   host-make(rep) -> handle, host-peek(handle) -> rep, host-take(handle) -> rep, host-drop(handle)   of `thing`
//   make(rep) -> handle, peek(handle) -> rep, take(handle) -> rep, drop(handle)                        of `item`
// The host defines `thing`. A nested component defines `item`; its destructor tells the host's `note`.

const HOST = 'test:res/host'

/** What the host serves; `things` are alive, `notes` is what was told. */
export function resourceHosts(notes: string[] = []) {
  return {
    '[constructor]thing': (rep: unknown) => rep as number,
    '[method]thing.peek': (rep: unknown) => rep as number,
    '[static]thing.take': (rep: unknown) => {
      notes.push(`taken ${rep}`)
      return rep as number
    },
    '[resource-drop]thing': (rep: unknown) => {
      notes.push(`thing ${rep}`)
      return undefined
    },
    note: (rep: unknown) => {
      notes.push(`item ${rep}`)
      return undefined
    },
  }
}

const OWNER = `(component $owner
  (import "note" (func $note (param "rep" u32)))
  (core func $note (canon lower (func $note)))
  (core module $d (import "" "note" (func $note (param i32)))
    (func (export "dtor") (param i32)
      (if (i32.eq (local.get 0) (i32.const 666)) (then unreachable))
      (call $note (local.get 0))))
  (core instance $d (instantiate $d (with "" (instance (export "note" (func $note))))))
  (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
  (core func $new (canon resource.new $r))
  (core func $rep (canon resource.rep $r))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    ;; A borrow of what this component defines comes as the representation itself.
    (func (export "peek") (param i32) (result i32) (local.get 0))
    (func (export "take") (param i32) (result i32) (local $rep i32)
      (local.set $rep (call $rep (local.get 0))) (call $drop (local.get 0)) (local.get $rep)))
  (core instance $m (instantiate $m (with ""
    (instance (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
  (export $item "item" (type $r))
  (func (export "make") (param "rep" u32) (result (own $item)) (canon lift (core func $m "make")))
  (func (export "peek") (param "item" (borrow $item)) (result u32) (canon lift (core func $m "peek")))
  (func (export "take") (param "item" (own $item)) (result u32) (canon lift (core func $m "take"))))`

const UNARY = '(param i32) (result i32)'
const OPERATIONS = {
  'host-make': ['(canon lower (func $h "[constructor]thing"))', UNARY],
  'host-peek': ['(canon lower (func $h "[method]thing.peek"))', UNARY],
  'host-take': ['(canon lower (func $h "[static]thing.take"))', UNARY],
  'host-drop': ['(canon resource.drop $thing)', '(param i32)'],
  make: ['(canon lower (func $o "make"))', UNARY],
  peek: ['(canon lower (func $o "peek"))', UNARY],
  take: ['(canon lower (func $o "take"))', UNARY],
  drop: ['(canon resource.drop $item)', '(param i32)'],
} as const

export type ResourceOperation = keyof typeof OPERATIONS
export const RESOURCE_OPERATIONS = Object.keys(OPERATIONS) as ResourceOperation[]

/** `body` adds core functions that may call the operations as $make, $drop and so on; `lifts` lifts them. */
export function resourceComponent(body = '', lifts = ''): string {
  const rows = Object.entries(OPERATIONS)
  const passes = rows.map(([name, [, type]]) => {
    const call = `(func (export "${name}") ${type} (call $${name} (local.get 0)))`
    return { core: `(import "" "${name}" (func $${name} ${type}))`, call }
  })
  return `(component
  (import "${HOST}" (instance $h
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "rep" u32) (result (own $thing))))
    (export "[method]thing.peek" (func (param "self" (borrow $thing)) (result u32)))
    (export "[static]thing.take" (func (param "thing" (own $thing)) (result u32)))
    (export "note" (func (param "rep" u32)))))
  (alias export $h "thing" (type $thing))
  ${OWNER}
  (instance $o (instantiate $owner (with "note" (func $h "note"))))
  (alias export $o "item" (type $item))
  ${rows.map(([name, [canon]]) => `(core func $${name} ${canon})`).join('\n')}
  (core module $user ${passes.map(({ core }) => core).join('\n')}
    (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
    ${passes.map(({ call }) => call).join('\n')} ${body})
  (core instance $user (instantiate $user (with "" (instance
    ${rows.map(([name]) => `(export "${name}" (func $${name}))`).join('\n')}))))
  ${rows
    .map(
      ([name, [, type]]) =>
        `(func (export "${name}") (param "value" u32) ${type === UNARY ? '(result u32)' : ''} (canon lift (core func $user "${name}")))`,
    )
    .join('\n')}
  ${lifts})`
}
