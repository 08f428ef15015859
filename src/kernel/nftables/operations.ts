/**
 * What can be asked of nftables, as data; `batch.ts` turns it into bytes. Named as nft(8) names things.
 * Register use is explicit: expressions write and read 4-byte registers counted from 0, as the kernel's NFT_REG32_00…15.
 */

export type NftFamily = 'ip' | 'ip6' | 'inet' | 'bridge'

/** Key and data types of sets: fixed lengths here, and what `nft list` prints them as. */
export type NftDatatype = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service' | 'ifname'

export interface NftTable {
  family: NftFamily
  table: string
}

export interface NftHook {
  type: 'filter' | 'nat'
  hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
  /** Lower runs first: raw -300, dstnat -100, filter 0, srcnat 100. */
  priority: number
}

export interface NftElement {
  /** One value per part of the key, each of its type's length. */
  key: Buffer[]
  /** Of sets with `interval`: the last value of the range that begins with `key`, part by part. */
  end?: Buffer[]
  /** Of maps. */
  data?: Buffer[]
}

export type NftOperation =
  /**
   * Fine when it exists. `owned`: until the socket that makes it is closed nobody else can change the table, and `nft flush ruleset` passes it by;
   * afterwards it stays, as anybody's. Linux 6.9; before that EOPNOTSUPP or EINVAL (nf_tables.h, NFT_TABLE_F_OWNER and NFT_TABLE_F_PERSIST).
   */
  | { op: 'add-table'; comment?: string; owned?: boolean }
  | { op: 'delete-table' }
  /** With `hook` a base chain (policy accept). */
  | { op: 'add-chain'; chain: string; hook?: NftHook }
  /** With `data` a map. `interval`: elements are ranges; of concatenations since Linux 5.6. */
  | { op: 'add-set'; set: string; key: NftDatatype[]; data?: NftDatatype[]; interval?: boolean }
  /** EEXIST when a map has the key with other data; a set takes an element twice. */
  | { op: 'add-elements'; set: string; elements: NftElement[] }
  /** ENOENT when one is missing. */
  | { op: 'delete-elements'; set: string; elements: NftElement[] }
  | { op: 'flush-set'; set: string }
  /** Appended to the chain. */
  | { op: 'add-rule'; chain: string; expressions: NftExpression[]; comment?: string }

/** One step of a rule; the rule goes on while comparisons and lookups hold. */
export type NftExpression =
  | { expr: 'meta'; key: 'iifname' | 'oifname' | 'l4proto'; to: number }
  | { expr: 'ct'; key: 'state' | 'status'; to: number }
  | { expr: 'payload'; base: 'network' | 'transport'; offset: number; length: number; to: number }
  /** Type of the destination address in the routing table: `local` is what the host answers to. */
  | { expr: 'fib-daddr-type'; to: number }
  | { expr: 'compare'; from: number; is: 'equal' | 'different'; value: Buffer }
  /** `to = from & mask`, all of the mask's length. */
  | { expr: 'mask'; from: number; to: number; mask: Buffer }
  /** In a set, or with `to` the map's data. */
  | { expr: 'lookup'; set: string; from: number; to?: number; inverted?: boolean }
  | { expr: 'verdict'; verdict: 'accept' | 'drop' | 'return' | { jump: string } }
  | { expr: 'dnat'; family: 4 | 6; address: number; port: number }
  | { expr: 'snat'; family: 4 | 6; address: number }
  | { expr: 'masquerade' }

/** The fields an operation is told apart by in an error: `add-elements published_any`. */
export function describeOperation(operation: NftOperation): string {
  if ('set' in operation) return `${operation.op} ${operation.set}`
  if ('chain' in operation) return `${operation.op} ${operation.chain}`
  return operation.op
}
