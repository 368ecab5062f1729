// A component that sets reminders and timers, and counts the bytes of their ticks.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { ALLOCATOR } from './wat.ts'

const SET = `(func (param "name" string) (param "schedule" $s) (param "data" (list u8))
      (result (result (error string))))`
const SCHEDULE = `(record (field "due" string) (field "period" (option string))
      (field "ttl" (option string)) (field "missed" $m))`
const CORE_SET = '(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)'

const text = (handlers: string): string => `(component
  (import "loom:actor/reminders@0.2.0" (instance $r
    (type $missed (enum "once" "skip" "all"))
    (export "missed" (type $m (eq $missed)))
    (type $schedule ${SCHEDULE})
    (export "schedule" (type $s (eq $schedule)))
    (export "set" ${SET})))
  (alias export $r "schedule" (type $schedule))
  (import "loom:actor/timers@0.2.0" (instance $t
    (alias outer 1 $schedule (type $given))
    (export "schedule" (type $s (eq $given)))
    (export "set" ${SET})))
  (core module $libc (memory (export "memory") 1) ${ALLOCATOR})
  (core instance $libc (instantiate $libc))
  (alias export $r "set" (func $set-reminder))
  (alias export $t "set" (func $set-timer))
  (core func $core-reminder (canon lower (func $set-reminder)
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $core-timer (canon lower (func $set-timer)
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $main
    (import "host" "reminder" (func $reminder ${CORE_SET}))
    (import "host" "timer" (func $timer ${CORE_SET}))
    (import "libc" "memory" (memory 1))
    (data (i32.const 16) "r123")
    (global $count (mut i32) (i32.const 0))
    (func (export "remind") (param $due i32) (param $length i32) (result i32)
      (call $reminder (i32.const 16) (i32.const 1) (local.get $due) (local.get $length)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 17) (i32.const 3) (i32.const 64))
      (i32.load8_u (i32.const 64)))
    (func (export "time") (param $due i32) (param $length i32) (result i32)
      (call $timer (i32.const 16) (i32.const 1) (local.get $due) (local.get $length)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 17) (i32.const 2) (i32.const 64))
      (i32.load8_u (i32.const 64)))
    (func (export "receive") (param i32 i32 i32 i32)
      (global.set $count (i32.add (global.get $count) (local.get 3))))
    (func (export "count") (result i32) (global.get $count)))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance (export "reminder" (func $core-reminder)) (export "timer" (func $core-timer))))))
  (func (export "remind") (param "due" string) (result u32) (canon lift (core func $main "remind")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "time") (param "due" string) (result u32) (canon lift (core func $main "time")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "count") (result u32) (canon lift (core func $main "count")))
  ${handlers})`

const RECEIVE = `(func $receive (param "name" string) (param "data" (list u8))
    (canon lift (core func $main "receive")
      (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))`

/** One handler in its interface, one in the world. */
export async function tickingComponent(): Promise<Uint8Array> {
  return await parse(
    text(`${RECEIVE}
      (instance $handler (export "receive-reminder" (func $receive)))
      (export "loom:actor/reminder-handler@0.2.0" (instance $handler))
      (export "receive-timer" (func $receive))`),
  )
}

/** With a handler that takes something else. */
export async function deafComponent(): Promise<Uint8Array> {
  return await parse(
    text('(func (export "receive-reminder") (result u32) (canon lift (core func $main "count")))'),
  )
}
