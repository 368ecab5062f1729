import { describe, expect, test } from 'vitest'
import { compatibleName, HostInterfaces } from '../../../host/hostcalls/host-interface.ts'
import { providedInterface } from '../../../host/hostcalls/provided.ts'

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

describe('provided interfaces', () => {
  test('must have a WIT name and functions', () => {
    expect(() => providedInterface('Quotes', {})).toThrow(/expected namespace:package\/interface/)
    expect(() => providedInterface('a:b/c', { latest: 5 as never })).toThrow(
      'a:b/c#latest: expected a function, got number',
    )
  })

  test('may not answer with a promise in this version', () => {
    const { latest } = providedInterface('a:b/c', { latest: async () => 1 })
    expect(() => latest?.perform({} as never, [])).toThrow(/a:b\/c#latest returned a promise/)
  })
})
