import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { compatibleName } from '../../../host/component/wit/interface-name.ts'
import { HostInterfaces } from '../../../host/hostcalls/host-interface.ts'
import { providedInterface } from '../../../host/hostcalls/provided.ts'
import { openHost } from '../../support/host.ts'
import { thrown } from '../../support/wat.ts'

describe('versions of host interfaces', () => {
  test.each([
    ['wasi:clocks/wall-clock@0.2.6', 'wasi:clocks/wall-clock@0.2'],
    ['wasi:clocks/wall-clock@0.2.0-rc-1', 'wasi:clocks/wall-clock@0.2'],
    ['acme:a/b@1.4.2', 'acme:a/b@1'],
    ['acme:a/b', 'acme:a/b'],
  ])('%s is compatible with every %s', (name, expected) => {
    expect(compatibleName(name)).toBe(expected)
  })

  test('an interface provided without a version serves every version', () => {
    const interfaces = new HostInterfaces()
    interfaces.add(
      'acme:pricing/quotes',
      providedInterface('acme:pricing/quotes', { latest: () => 1 }),
    )
    expect(interfaces.find('acme:pricing/quotes@2.0.0', 'latest')?.kind).toBe('recorded')
    expect(interfaces.find('acme:pricing/quotes@2.0.0', 'toString')).toBeUndefined()
  })

  test('everything that is not served is named at once', () => {
    const func = (name: string) => ({ name, params: [], result: null })
    const imports = [
      { name: 'wasi:sockets/tcp@0.2.0', functions: [func('connect'), func('listen')] },
      { name: '', functions: [func('plain')] },
    ]
    expect(() => new HostInterfaces().checkImports(imports)).toThrow(
      'the component imports what this host does not serve: wasi:sockets/tcp@0.2.0#connect, wasi:sockets/tcp@0.2.0#listen, plain',
    )
  })
})

describe('wasi:http', () => {
  const func = (name: string) => ({ name, params: [], result: null })
  const outgoing = { name: 'wasi:http/outgoing-handler@0.2.3', functions: [func('handle')] }

  test('is refused by name, with what to do', () => {
    expect(() => new HostInterfaces().checkImports([outgoing])).toThrow(
      'the component imports what this host does not serve: wasi:http/outgoing-handler@0.2.3#handle; wasi:http is not granted to actors: build without it, import loom:http/fetch, or let the embedder provide it',
    )
  })

  test('with many functions is named in few words; the error holds them all', () => {
    const names = Array.from({ length: 40 }, (_, index) => func(`[method]fields.f${index}`))
    const types = { name: 'wasi:http/types@0.2.3', functions: names }
    const error = thrown(() => new HostInterfaces().checkImports([types, outgoing]))
    expect(error).toMatchObject({
      code: 'ERR_COMPONENT_IMPORT',
      message: expect.stringContaining(
        'does not serve: wasi:http/types@0.2.3#{[method]fields.f0, [method]fields.f1, [method]fields.f2 and 37 more}, wasi:http/outgoing-handler@0.2.3#{handle};',
      ),
    })
    expect((error as { data: { missing: string[] } }).data.missing).toHaveLength(41)
  })

  test('of which only types are imported is granted to everybody', async () => {
    const component = await parse(`(component
      (type $http (instance
        (export "fields" (type $fields (sub resource)))
        (type $m0 (variant (case "get") (case "post") (case "other" string))) (export "method" (type (eq $m0)))
        (type $e0 (enum "no" "maybe")) (export "error-code" (type $e (eq $e0)))
        (type $r0 (result (own $fields) (error $e))) (export "outcome" (type (eq $r0)))))
      (import "wasi:http/types@0.2.3" (instance $h (type $http)))
      (alias export $h "method" (type $method)) (alias export $h "fields" (type $fields))
      (core func $drop (canon resource.drop $fields))
      (core module $m (import "" "drop" (func (param i32))) (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
        (func (export "f") (param i32 i32 i32) (result i32) (local.get 0)))
      (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
      (export $method2 "method" (type $method))
      (func (export "f") (param "m" $method2) (result u32)
        (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))`)
    const runtime = await openHost()
    await runtime.registerActorType('Typed', { type: 'wasm', component })
    const actor = await runtime.getActor('t', 'Typed')
    expect(await actor.call('f', { tag: 'other', val: 'PATCH' })).toBe(2)
  })
})

describe('provided interfaces', () => {
  test('must have a WIT name and functions', () => {
    expect(() => providedInterface('Quotes', {})).toThrow(/expected namespace:package\/interface/)
    expect(() => providedInterface('a:b/c', { latest: 5 as never })).toThrow(
      'a:b/c#latest: expected a function, got number',
    )
  })

  test('whose function is async start only when their turn is durable', () => {
    const { latest, cached } = providedInterface('a:b/c', {
      latest: async () => 1,
      cached: () => 1,
    })
    expect([latest?.kind, cached?.kind]).toEqual(['awaiting', 'recorded'])
  })
})
