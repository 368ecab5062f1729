/**
 * Addresses: which lie on the public internet, and ranges of those that do not.
 *
 * Owns: that list. Does not own: who may reach what (hostcalls/fetch-policy.ts).
 *
 * Invariant AD1: what is not known to be public is not: other forms of an IPv4 address (mapped, translated,
 * tunnelled) are never public.
 *
 * Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (2024).
 */
import { BlockList, isIP } from 'node:net'
import { LoomError } from './errors.ts'

const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** Of global unicast, which is all that is public: protocol assignments and Teredo, documentation, 6to4. */
const GLOBAL_IPV6 = ['2000::/3']
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const specialIpv4 = rangesOf(SPECIAL_IPV4)
const globalIpv6 = rangesOf(GLOBAL_IPV6)
const specialIpv6 = rangesOf(SPECIAL_IPV6)

/** A set of addresses. */
export interface AddressRanges {
  has(address: string): boolean
}

export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !specialIpv4.has(address)
  return globalIpv6.has(address) && !specialIpv6.has(address)
}

/** Addresses and ranges such as `10.1.0.0/16` or `fd00::1`. @throws ERR_OPTION */
export function rangesOf(texts: readonly string[]): AddressRanges {
  const list = new BlockList()
  for (const text of texts) add(list, text)
  return {
    has: (address) => {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

function add(list: BlockList, text: string): void {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  const bitsMax = version === 4 ? 32 : 128
  const count = bits === undefined ? bitsMax : Number(bits)
  const isCount = bits === undefined || (/^\d{1,3}$/.test(bits) && count <= bitsMax)
  if (version === 0 || rest.length > 0 || !isCount)
    throw new LoomError(
      'ERR_OPTION',
      `address ${JSON.stringify(text)}: expected an IP address, or a range such as 10.1.0.0/16`,
    )
  list.addSubnet(address, count, version === 4 ? 'ipv4' : 'ipv6')
}
