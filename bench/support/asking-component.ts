/**
 * A component whose turns call another actor as often as they are told, one call after the other, on one stack.
 *
 * Owns: its text and its build. Does not own: measuring.
 */
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools'

const WIT = `package bench:asking;

world asking {
  import loom:actor/actors@0.2.0;
  /** Calls \`method\` so many times; returns how often it was asked itself. */
  export ask: func(calls: u32, actor-type: string, id: string, method: string, args: string) -> u32;
}

package loom:actor@0.2.0 {
  interface context {
    record actor-id { actor-type: string, id: string }
  }
  interface actors {
    use context.{actor-id};
    record call-error { code: string, message: string }
    call: func(target: actor-id, method: string, args: string) -> result<string, call-error>;
  }
}`

// What is given lies from 4096 on, and is given up at the end of the turn; an answer at 16.
const CORE = `(module
  (import "loom:actor/actors@0.2.0" "call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))
  (global $turns (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
                           (i32.sub (i32.const 0) (local.get 2))))
    (global.set $heap (i32.add (local.get $p) (local.get 3)))
    (local.get $p))
  (func (export "ask") (param $calls i32) (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $calls)))
        (call $call (local.get 1) (local.get 2) (local.get 3) (local.get 4)
                    (local.get 5) (local.get 6) (local.get 7) (local.get 8) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (unreachable)))
        (local.set $calls (i32.sub (local.get $calls) (i32.const 1)))
        (br $next)))
    (global.set $heap (i32.const 4096))
    (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
    (global.get $turns)))`

export async function buildAsking(): Promise<Uint8Array> {
  const binary = await parse(CORE)
  return componentNew(await componentEmbed({ binary, witSource: WIT, world: 'asking' }))
}
