import { AsyncMutex } from '#lib'
import { createSystemCalls, type SystemCalls, syscallError } from '../ffi/system-calls.ts'
import type { Conntrack } from '../types.ts'
import { MessageWriter, type NetlinkMessage, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, decodeAttributes, u16be, u32, u8 } from './message.ts'
import { NETLINK_NETFILTER, openNetlinkSocket } from './socket.ts'

// include/uapi/linux/netfilter/nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1
const CT_NEW = 0
const CT_GET = 1
const CT_DELETE = 2
const CTA_TUPLE_ORIG = 1
const CTA_TUPLE_PROTO = 2
const CTA_PROTO_NUM = 1
const CTA_PROTO_DST_PORT = 3
const CTA_ID = 12
const CTA_FILTER = 25
const CTA_FILTER_ORIG_FLAGS = 1
const CTA_FILTER_F_PROTO_NUM = 1 << 3
const CTA_FILTER_F_PROTO_DST_PORT = 1 << 5

const FAMILIES = { 4: 2, 6: 10 } as const
const ENOENT = 2

export interface Flow {
  family: 4 | 6
  /** IP protocol number. */
  protocol: number
  destinationPort: number
}

/** {@link Conntrack} of the namespace the calling thread is in. */
export function openConntrack(system: SystemCalls = createSystemCalls()): Conntrack {
  const socket = openNetlinkSocket(system, NETLINK_NETFILTER)
  const mutex = new AsyncMutex()

  async function forgetOf(family: Flow['family'], flows: readonly Flow[]): Promise<number> {
    const found = await socket.exchangeInBackground(encodeDumpFlows(family, flows))
    const [failure] = found.errors
    if (failure !== undefined) throw syscallError('conntrack', failure.errno, ['list'], failure.text)
    // Kernels before 5.8 do not know the filter and list everything.
    const wanted = new Set(flows.map(keyOf))
    const matching = found.messages.filter((message) => wanted.has(keyOf(decodeFlow(message, family))))
    for (const message of matching) {
      const [error] = socket.exchange(encodeDeleteFlow(message, family)).errors
      if (error !== undefined && error.errno !== ENOENT) throw syscallError('conntrack', error.errno, ['delete'], error.text) // ENOENT: timed out
    }
    return matching.length
  }

  async function forget(flows: readonly Flow[]): Promise<number> {
    let count = 0
    for (const family of [4, 6] as const) {
      const mine = flows.filter((flow) => flow.family === family)
      if (mine.length > 0) count += await forgetOf(family, mine)
    }
    return count
  }

  return {
    forget: (flows) => mutex.run(() => forget(flows)),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }
}

/** All connections of the family, filtered by what the flows have in common: the protocol, and the port if it is one. */
export function encodeDumpFlows(family: Flow['family'], flows: readonly Flow[]): Buffer {
  const protocol = common(flows.map((flow) => flow.protocol))
  const port = common(flows.map((flow) => flow.destinationPort))
  const writer = new MessageWriter()
  writer.begin(messageType(CT_GET), NLM_F_REQUEST | NLM_F_DUMP, nfgenmsg(family))
  if (protocol === undefined) return writer.finish()
  writer.nest(CTA_TUPLE_ORIG, () => {
    writer.nest(CTA_TUPLE_PROTO, () => {
      writer.attribute(CTA_PROTO_NUM, u8(protocol))
      if (port !== undefined) writer.attribute(CTA_PROTO_DST_PORT, u16be(port))
    })
  })
  const flags = CTA_FILTER_F_PROTO_NUM | (port === undefined ? 0 : CTA_FILTER_F_PROTO_DST_PORT)
  writer.nest(CTA_FILTER, () => writer.attribute(CTA_FILTER_ORIG_FLAGS, u32(flags)))
  return writer.finish()
}

function common(values: readonly number[]): number | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined
}

export function encodeDeleteFlow(listed: NetlinkMessage, family: Flow['family']): Buffer {
  const attributes = decodeAttributes(listed.body.subarray(4))
  const writer = new MessageWriter()
  writer.begin(messageType(CT_DELETE), NLM_F_REQUEST | NLM_F_ACK, nfgenmsg(family))
  writer.nest(CTA_TUPLE_ORIG, () => writer.raw(attributes.get(CTA_TUPLE_ORIG) ?? Buffer.alloc(0)))
  writer.attribute(CTA_ID, attributes.get(CTA_ID) ?? Buffer.alloc(4))
  return writer.finish()
}

function decodeFlow(message: NetlinkMessage, family: Flow['family']): Partial<Flow> {
  if (message.type !== messageType(CT_NEW)) return {}
  const tuple = decodeAttributes(decodeAttributes(message.body.subarray(4)).get(CTA_TUPLE_ORIG) ?? Buffer.alloc(0))
  const proto = decodeAttributes(tuple.get(CTA_TUPLE_PROTO) ?? Buffer.alloc(0))
  const protocol = proto.get(CTA_PROTO_NUM)?.readUInt8()
  const destinationPort = proto.get(CTA_PROTO_DST_PORT)?.readUInt16BE()
  return { family, ...(protocol !== undefined && { protocol }), ...(destinationPort !== undefined && { destinationPort }) }
}

function keyOf({ family, protocol, destinationPort }: Partial<Flow>): string {
  return `${family}/${protocol}/${destinationPort}`
}

function nfgenmsg(family: Flow['family']): Buffer {
  return Buffer.of(FAMILIES[family], 0, 0, 0)
}

function messageType(message: number): number {
  return (NFNL_SUBSYS_CTNETLINK << 8) | message
}
