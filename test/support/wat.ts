// Components written by hand, as WebAssembly text.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import type { Component, ComponentInstance, HostFunction } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import type { WitValue } from '../../host/component/wit/wit.ts'

export async function loadWat(text: string): Promise<Component> {
  return await loadComponent(await parse(text))
}

export interface Running {
  readonly component: Component
  readonly instance: ComponentInstance
  /** Calls an export by the name of the function alone. */
  call(name: string, ...args: unknown[]): WitValue
}

export function run(
  component: Component,
  hosts: Readonly<Record<string, HostFunction>> = {},
): Running {
  const instance = component.instantiate((_, func) => {
    const host = hosts[func.name]
    if (host === undefined) throw new Error(`no host function ${func.name}`)
    return host
  })
  return {
    component,
    instance,
    call(name, ...args) {
      const target = component.exports.find(({ func }) => func.name === name)
      if (target === undefined) throw new Error(`no export ${name}`)
      return instance.call(target, checkArguments(target.func, args))
    },
  }
}

export async function runWat(
  text: string,
  hosts: Readonly<Record<string, HostFunction>> = {},
): Promise<Running> {
  return run(await loadWat(text), hosts)
}

/** A bump allocator that grows memory, for core modules that import or define memory 0. */
export const ALLOCATOR = `
  (global $heap (mut i32) (i32.const 1024))
  (func $realloc (export "realloc") (param $old i32) (param $was i32) (param $align i32) (param $size i32) (result i32)
    (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                           (i32.sub (i32.const 0) (local.get $align))))
    (global.set $heap (i32.add (local.get $p) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.shr_u (i32.add (i32.sub (global.get $heap) (i32.mul (memory.size) (i32.const 65536))) (i32.const 65535)) (i32.const 16))))))
    (local.get $p))`

/**
 * A component of one core module with the exports `memory` and `realloc`. Each of `lifts` is a function
 * type and the core function of the same name.
 */
export function single(
  core: string,
  lifts: Readonly<Record<string, string>>,
  options = '',
): string {
  const functions = Object.entries(lifts).map(
    ([name, type]) => `(func $${name} ${type}
      (canon lift (core func $i "${name}") (memory (core memory $i "memory")) (realloc (core func $i "realloc")) ${options}))
      (export "${name}" (func $${name}))`,
  )
  return `(component (core module $m (memory (export "memory") 1) ${ALLOCATOR} ${core})
    (core instance $i (instantiate $m)) ${functions.join('\n')})`
}

/** What a promise or function throws, for assertions on several of its properties. */
export function thrown(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
