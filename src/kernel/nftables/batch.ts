import {
  MessageWriter,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  decodeAttributeList,
  decodeAttributes,
  decodeText,
  u32be,
} from '../netlink/message.ts'
import { writeExpression } from './expressions.ts'
import type { NftDatatype, NftElement, NftFamily, NftHook, NftOperation, NftTable } from './operations.ts'

// include/uapi/linux/netfilter/{nfnetlink,nf_tables}.h
const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH_BEGIN = 0x10
const NFNL_MSG_BATCH_END = 0x11
const NEWTABLE = 0
const DELTABLE = 2
const NEWCHAIN = 3
const GETCHAIN = 4
const NEWRULE = 6
const NEWSET = 9
const NEWSETELEM = 12
const GETSETELEM = 13
const DELSETELEM = 14

const NFTA_LIST_ELEM = 1
const NFTA_DATA_VALUE = 1
const NFT_TABLE_F_OWNER = 0x2
const NFT_TABLE_F_PERSIST = 0x4
const NFT_SET_INTERVAL = 0x4
const NFT_SET_MAP = 0x8
const NFT_SET_CONCAT = 0x80
const NFT_SET_ELEM_INTERVAL_END = 0x1
/** The list of a message's elements is one attribute with a 16-bit length; the biggest element there is takes 120 bytes. */
const ELEMENTS_PER_MESSAGE = 400
const NFTNL_UDATA_COMMENT = 0
const NF_ACCEPT = 1
/** NFTNL_UDATA_SET_KEYBYTEORDER, length, BYTEORDER_HOST_ENDIAN: without it `nft list` prints interface names backwards. */
const KEY_IN_HOST_ORDER = Buffer.of(0, 4, 1, 0, 0, 0)

const FAMILIES: Record<NftFamily, number> = { inet: 1, ip: 2, bridge: 7, ip6: 10 }
const HOOKS: Record<NftHook['hook'], number> = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 }

/** Number (nftables/include/datatype.h; only `nft list` reads it) and length in bytes. */
const DATATYPES: Record<NftDatatype, { number: number; length: number }> = {
  ipv4_addr: { number: 7, length: 4 },
  ipv6_addr: { number: 8, length: 16 },
  inet_proto: { number: 12, length: 1 },
  inet_service: { number: 13, length: 2 },
  ifname: { number: 41, length: 16 },
}

/**
 * One transaction: all of it happens or nothing, and no packet sees half of it. Only the last operation asks for an acknowledgement, for the kernel
 * answers every failure anyway. `sequences` maps sequence numbers to operations.
 */
export function encodeBatch(
  table: NftTable,
  operations: readonly NftOperation[],
): { bytes: Buffer; sequences: Map<number, NftOperation>; last: number } {
  const writer = new MessageWriter()
  const sequences = new Map<number, NftOperation>()
  let last = 0
  writer.begin(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, nfgenmsg(0, NFNL_SUBSYS_NFTABLES))
  const messages = operations.flatMap(splitElements)
  for (const [index, operation] of messages.entries()) {
    const acknowledge = index === messages.length - 1 ? NLM_F_ACK : 0
    last = writeOperation(writer, table, operation, acknowledge)
    sequences.set(last, operation)
  }
  writer.begin(NFNL_MSG_BATCH_END, NLM_F_REQUEST, nfgenmsg(0, NFNL_SUBSYS_NFTABLES))
  return { bytes: writer.finish(), sequences, last }
}

function splitElements(operation: NftOperation): NftOperation[] {
  if (operation.op !== 'add-elements' && operation.op !== 'delete-elements') return [operation]
  const { elements } = operation
  if (elements.length <= ELEMENTS_PER_MESSAGE) return [operation]
  const parts: NftOperation[] = []
  for (let at = 0; at < elements.length; at += ELEMENTS_PER_MESSAGE) {
    parts.push({ ...operation, elements: elements.slice(at, at + ELEMENTS_PER_MESSAGE) })
  }
  return parts
}

/** Message and extra flags of each operation. */
const MESSAGES: Record<NftOperation['op'], { message: number; flags: number }> = {
  'add-table': { message: NEWTABLE, flags: NLM_F_CREATE },
  'delete-table': { message: DELTABLE, flags: 0 },
  'add-chain': { message: NEWCHAIN, flags: NLM_F_CREATE },
  'add-set': { message: NEWSET, flags: NLM_F_CREATE },
  'add-elements': { message: NEWSETELEM, flags: NLM_F_CREATE },
  'delete-elements': { message: DELSETELEM, flags: 0 },
  'flush-set': { message: DELSETELEM, flags: 0 }, // without elements: all of them
  'add-rule': { message: NEWRULE, flags: NLM_F_CREATE | NLM_F_APPEND },
}

function writeOperation(writer: MessageWriter, { family, table }: NftTable, operation: NftOperation, acknowledge: number): number {
  const { message, flags } = MESSAGES[operation.op]
  const sequence = writer.begin(messageType(message), NLM_F_REQUEST | flags | acknowledge, nfgenmsg(FAMILIES[family], 0))
  writer.attribute(1, table) // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, NFTA_SET_ELEM_LIST_TABLE
  switch (operation.op) {
    case 'add-table':
      // NFTA_TABLE_FLAGS. Not given unless asked for: to an existing table 0 would mean that its owner gives it up.
      if (operation.owned === true) writer.attribute(2, u32be(NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST))
      if (operation.comment !== undefined) writer.attribute(6, comment(operation.comment)) // NFTA_TABLE_USERDATA
      break
    case 'delete-table':
      break
    case 'add-chain':
      writeChain(writer, operation)
      break
    case 'add-set':
      writeSet(writer, operation, sequence)
      break
    case 'add-elements':
    case 'delete-elements':
      writer.attribute(2, operation.set) // NFTA_SET_ELEM_LIST_SET
      writer.nest(3, () => operation.elements.forEach((element) => writeElement(writer, element))) // NFTA_SET_ELEM_LIST_ELEMENTS
      break
    case 'flush-set':
      writer.attribute(2, operation.set)
      break
    case 'add-rule':
      writer.attribute(2, operation.chain) // NFTA_RULE_CHAIN
      writer.nest(4, () => operation.expressions.forEach((expression) => writeExpression(writer, expression))) // NFTA_RULE_EXPRESSIONS
      if (operation.comment !== undefined) writer.attribute(7, comment(operation.comment)) // NFTA_RULE_USERDATA
      break
  }
  return sequence
}

function writeChain(writer: MessageWriter, { chain, hook }: Extract<NftOperation, { op: 'add-chain' }>): void {
  writer.attribute(3, chain) // NFTA_CHAIN_NAME
  if (hook === undefined) return
  // NFTA_CHAIN_HOOK with NFTA_HOOK_HOOKNUM and NFTA_HOOK_PRIORITY
  writer.nest(4, () => {
    writer.attribute(1, u32be(HOOKS[hook.hook]))
    writer.attribute(2, u32be(hook.priority))
  })
  writer.attribute(5, u32be(NF_ACCEPT)) // NFTA_CHAIN_POLICY
  writer.attribute(7, hook.type) // NFTA_CHAIN_TYPE
}

/** `id`: any number unique in the transaction. */
function writeSet(writer: MessageWriter, { set, key, data, interval }: Extract<NftOperation, { op: 'add-set' }>, id: number): void {
  writer.attribute(2, set) // NFTA_SET_NAME
  const flags = (data === undefined ? 0 : NFT_SET_MAP) | (key.length > 1 ? NFT_SET_CONCAT : 0) | (interval === true ? NFT_SET_INTERVAL : 0)
  writer.attribute(3, u32be(flags)) // NFTA_SET_FLAGS
  writer.attribute(4, u32be(typeNumber(key))) // NFTA_SET_KEY_TYPE
  writer.attribute(5, u32be(concatenatedLength(key))) // NFTA_SET_KEY_LEN
  if (data !== undefined) {
    writer.attribute(6, u32be(typeNumber(data))) // NFTA_SET_DATA_TYPE
    writer.attribute(7, u32be(concatenatedLength(data))) // NFTA_SET_DATA_LEN
  }
  if (key.length > 1) writer.nest(9, () => writeFieldLengths(writer, key)) // NFTA_SET_DESC
  writer.attribute(10, u32be(id)) // NFTA_SET_ID
  if (key.length === 1 && key[0] === 'ifname') writer.attribute(13, KEY_IN_HOST_ORDER) // NFTA_SET_USERDATA
}

/** NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_DATA and, for a range of a concatenation, NFTA_SET_ELEM_KEY_END. */
function writeElement(writer: MessageWriter, { key, data, end }: NftElement): void {
  const isConcatenation = key.length > 1
  writer.nest(NFTA_LIST_ELEM, () => {
    writer.nest(1, () => writer.attribute(NFTA_DATA_VALUE, concatenate(key)))
    if (data !== undefined) writer.nest(2, () => writer.attribute(NFTA_DATA_VALUE, concatenate(data)))
    if (end !== undefined && isConcatenation) writer.nest(10, () => writer.attribute(NFTA_DATA_VALUE, concatenate(end)))
  })
  if (end !== undefined && !isConcatenation) writeRangeEnd(writer, end)
}

/** Ranges of single values end with an element of their own, the first value behind; one that goes to the last value of all has no end. */
function writeRangeEnd(writer: MessageWriter, [last = Buffer.alloc(0)]: Buffer[]): void {
  const behind = Buffer.from(last)
  for (let at = behind.length - 1; at >= 0; at--) {
    behind[at] = ((behind[at] ?? 0) + 1) & 0xff
    if (behind[at] !== 0) break
  }
  if (behind.every((byte) => byte === 0)) return
  writer.nest(NFTA_LIST_ELEM, () => {
    writer.attribute(3, u32be(NFT_SET_ELEM_INTERVAL_END)) // NFTA_SET_ELEM_FLAGS
    writer.nest(1, () => writer.attribute(NFTA_DATA_VALUE, behind))
  })
}

/** NFTA_SET_DESC_CONCAT: the kernel wants to know where the parts of a concatenated key end. */
function writeFieldLengths(writer: MessageWriter, key: readonly NftDatatype[]): void {
  writer.nest(2, () => {
    for (const part of key) writer.nest(NFTA_LIST_ELEM, () => writer.attribute(1, u32be(DATATYPES[part].length)))
  })
}

/** A dump of all chains of a family; decoded by {@link decodeChain}. */
export function encodeDumpChains(family: NftFamily): Buffer {
  const writer = new MessageWriter()
  writer.begin(messageType(GETCHAIN), NLM_F_REQUEST | NLM_F_DUMP, nfgenmsg(FAMILIES[family], 0))
  return writer.finish()
}

export function encodeDumpElements({ family, table }: NftTable, set: string): Buffer {
  const writer = new MessageWriter()
  writer.begin(messageType(GETSETELEM), NLM_F_REQUEST | NLM_F_DUMP, nfgenmsg(FAMILIES[family], 0))
  writer.attribute(1, table)
  writer.attribute(2, set)
  return writer.finish()
}

export function decodeChain(message: NetlinkMessage): { table: string; chain: string } | undefined {
  if (message.type !== messageType(NEWCHAIN)) return undefined
  const attributes = decodeAttributes(message.body.subarray(4))
  return { table: decodeText(attributes.get(1)), chain: decodeText(attributes.get(3)) }
}

/** Elements of one message of a dump; keys and data come as one padded buffer each. */
export function decodeElements(message: NetlinkMessage): { key: Buffer; data?: Buffer }[] {
  if (message.type !== messageType(NEWSETELEM)) return []
  const list = decodeAttributes(message.body.subarray(4)).get(3)
  return decodeAttributeList(list ?? Buffer.alloc(0)).map((member) => {
    const attributes = decodeAttributes(member.payload)
    const data = attributes.get(2)
    return { key: dataValue(attributes.get(1)), ...(data !== undefined && { data: dataValue(data) }) }
  })
}

/** Parts of a concatenation start at 4-byte boundaries. */
export function concatenate(parts: readonly Buffer[]): Buffer {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  return Buffer.concat(parts.map((part) => Buffer.concat([part, Buffer.alloc(-part.length & 3)])))
}

function dataValue(attribute: Buffer | undefined): Buffer {
  return decodeAttributes(attribute ?? Buffer.alloc(0)).get(NFTA_DATA_VALUE) ?? Buffer.alloc(0)
}

function concatenatedLength(parts: readonly NftDatatype[]): number {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return DATATYPES[only].length
  return parts.reduce((sum, part) => sum + ((DATATYPES[part].length + 3) & ~3), 0)
}

/** Six bits per part, the last lowest (nftables/src/datatype.c, concat_subtype_add). */
function typeNumber(parts: readonly NftDatatype[]): number {
  return parts.reduce((number, part) => (number << 6) | DATATYPES[part].number, 0)
}

/** A comment as nft stores it: u8 type, u8 length, NUL-terminated text. */
function comment(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`)
  return Buffer.concat([Buffer.of(NFTNL_UDATA_COMMENT, bytes.length), bytes])
}

/** struct nfgenmsg: u8 family, u8 version; be16 resource */
function nfgenmsg(family: number, resource: number): Buffer {
  return Buffer.of(family, 0, resource >> 8, resource & 0xff)
}

function messageType(message: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | message
}
