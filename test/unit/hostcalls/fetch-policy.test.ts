// Aim: nothing is allowed that no rule names, in whatever way a URL or an address is written. Method: rules against
// URLs as attackers write them; addresses of every special range.
import { describe, expect, test } from 'vitest'
import { isPublicAddress, rangesOf } from '../../../host/base/addresses.ts'
import { type FetchRule, fetchGate, NO_FETCH } from '../../../host/hostcalls/fetch-policy.ts'

const allows = (rule: FetchRule, url: string, method = 'GET'): boolean =>
  fetchGate({ allow: [rule] }).check(method, new URL(url)).kind === 'allowed'

const API = { origin: 'https://api.example.com' }

describe('a rule', () => {
  test.each([
    [API, 'https://api.example.com/v1/x?y#z'],
    [API, 'https://API.example.com./'],
    [API, 'https://api.example.com:443/'],
    [{ origin: 'https://api.example.com/' }, 'https://api.example.com/'],
    [{ origin: 'https://bücher.example' }, 'https://xn--bcher-kva.example/'],
    [{ origin: 'https://*.example.com' }, 'https://a.b.example.com/'],
    [{ origin: 'https://*' }, 'https://anything.example/'],
    [{ origin: 'http://127.0.0.1:8080' }, 'http://0x7f.1:8080/'],
    [{ origin: 'http://[::1]:8080' }, 'http://[0:0:0:0:0:0:0:1]:8080/'],
  ])('%o allows %s', (rule, url) => {
    expect(allows(rule, url)).toBe(true)
  })

  test.each([
    [API, 'http://api.example.com/'],
    [API, 'https://api.example.com:8443/'],
    [API, 'https://api.example.com.evil.example/'],
    [API, 'https://evil.example/api.example.com'],
    [API, 'https://api.example.com@evil.example/'],
    [API, 'https://sub.api.example.com/'],
    [{ origin: 'https://*.example.com' }, 'https://example.com/'],
    [{ origin: 'https://*.example.com' }, 'https://notexample.com/'],
    [{ origin: 'https://*' }, 'https://anything.example:8443/'],
  ])('%o does not allow %s', (rule, url) => {
    expect(allows(rule, url)).toBe(false)
  })

  test('allows reading only, unless it says more', () => {
    expect(allows(API, 'https://api.example.com/', 'HEAD')).toBe(true)
    expect(allows(API, 'https://api.example.com/', 'POST')).toBe(false)
    const more = { ...API, methods: ['POST'] }
    expect(allows(more, 'https://api.example.com/', 'POST')).toBe(true)
    expect(allows(more, 'https://api.example.com/', 'GET')).toBe(false)
  })

  test('reaches no address beside the public internet, unless it lists it', () => {
    const reaches = (rule: FetchRule, url: string, address: string): boolean => {
      const verdict = fetchGate({ allow: [rule] }).check('GET', new URL(url))
      return verdict.kind === 'allowed' && verdict.mayConnect(address)
    }
    expect(reaches(API, 'https://api.example.com/', '93.184.216.34')).toBe(true)
    expect(reaches(API, 'https://api.example.com/', '10.0.0.7')).toBe(false)
    const inside = { ...API, addresses: ['10.0.0.0/24'] }
    expect(reaches(inside, 'https://api.example.com/', '10.0.0.7')).toBe(true)
    expect(reaches(inside, 'https://api.example.com/', '10.0.1.7')).toBe(false)
    expect(reaches({ origin: 'http://127.0.0.1' }, 'http://127.0.0.1/', '127.0.0.1')).toBe(true)
    expect(reaches({ origin: 'http://127.0.0.1' }, 'http://127.0.0.1/', '127.0.0.2')).toBe(false)
    expect(reaches({ origin: 'https://*' }, 'https://169.254.169.254/', '169.254.169.254')).toBe(
      false,
    )
  })

  test.each([
    { origin: 'api.example.com' },
    { origin: 'ftp://example.com' },
    { origin: 'https://example.com/path' },
    { origin: 'https://user@example.com' },
    { origin: 'https://a.*.example.com' },
    { origin: 'https://*example.com' },
    { origin: 'https://example.com', methods: ['get'] },
    { origin: 'https://example.com', methods: ['CONNECT'] },
    { origin: 'https://example.com', addresses: ['10.0.0.0/33'] },
    { origin: 'https://example.com', addresses: ['intranet'] },
  ])('is refused when it is malformed: %o', (rule) => {
    expect(() => fetchGate({ allow: [rule] })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION' }),
    )
  })
})

test('limits have bounds', () => {
  for (const policy of [{ timeoutMs: 0 }, { responseBytesMax: 2 ** 30 }, { redirectCountMax: -1 }])
    expect(() => fetchGate({ allow: [], ...policy })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION' }),
    )
})

test('a type without a policy reaches nothing', () => {
  expect(NO_FETCH.check('GET', new URL('https://example.com/'))).toMatchObject({ kind: 'denied' })
})

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:8.8.8.8',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '100::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'ff02::1',
  '2002:7f00:1::',
  '2001:0:1::1',
  '2001:db8::1',
  'not an address',
  '',
])('%s is no public address', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '2606:4700::1111'])(
  '%s is a public address',
  (address) => {
    expect(isPublicAddress(address)).toBe(true)
  },
)

test('a range holds an IPv4 address that is written as IPv6', () => {
  expect(rangesOf(['10.0.0.0/8']).has('::ffff:10.1.2.3')).toBe(true)
  expect(rangesOf(['10.0.0.0/8']).has('::ffff:11.1.2.3')).toBe(false)
})
