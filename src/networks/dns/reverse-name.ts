import { addressBytes, parseAddress } from '../ipam/ip-address.ts'

/** The name that PTR questions about an address have: `2.0.18.172.in-addr.arpa` (RFC 1035 §3.5), nibbles under `ip6.arpa` (RFC 3596 §2.5). */
export function reverseName(address: string): string {
  const parsed = parseAddress(address)
  const bytes = addressBytes(parsed)
  if (parsed.family === 4) return `${[...bytes].toReversed().join('.')}.in-addr.arpa`
  return `${bytes.toString('hex').split('').toReversed().join('.')}.ip6.arpa`
}
