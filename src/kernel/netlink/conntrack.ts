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

const AF_INET = 2
const ENOENT = 2

export interface Flow {
  /** IP protocol number. */
  protocol: number
  destinationPort: number
}

/** {@link Conntrack} of the namespace the calling thread is in. */
export function openConntrack(system: SystemCalls = createSystemCalls()): Conntrack {
  const socket = openNetlinkSocket(system, NETLINK_NETFILTER)
  const mutex = new AsyncMutex()

  async function forget(flow: Flow): Promise<number> {
    const found = await socket.exchangeInBackground(encodeDumpFlows(flow))
    const [failure] = found.errors
    if (failure !== undefined) throw syscallError('conntrack', failure.errno, ['list'], failure.text)
    // Kernels before 5.8 do not know the filter and list everything.
    const matching = found.messages.filter((message) => isFlow(message, flow))
    for (const message of matching) {
      const [error] = socket.exchange(encodeDeleteFlow(message)).errors
      if (error !== undefined && error.errno !== ENOENT) throw syscallError('conntrack', error.errno, ['delete'], error.text) // ENOENT: timed out
    }
    return matching.length
  }

  return {
    forget: (flow) => mutex.run(() => forget(flow)),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }
}

export function encodeDumpFlows({ protocol, destinationPort }: Flow): Buffer {
  const writer = new MessageWriter()
  writer.begin(messageType(CT_GET), NLM_F_REQUEST | NLM_F_DUMP, nfgenmsg())
  writer.nest(CTA_TUPLE_ORIG, () => {
    writer.nest(CTA_TUPLE_PROTO, () => {
      writer.attribute(CTA_PROTO_NUM, u8(protocol))
      writer.attribute(CTA_PROTO_DST_PORT, u16be(destinationPort))
    })
  })
  writer.nest(CTA_FILTER, () => writer.attribute(CTA_FILTER_ORIG_FLAGS, u32(CTA_FILTER_F_PROTO_NUM | CTA_FILTER_F_PROTO_DST_PORT)))
  return writer.finish()
}

/** Deletes exactly the listed connection: its tuple, and its id in case another has taken the tuple since. */
export function encodeDeleteFlow(listed: NetlinkMessage): Buffer {
  const attributes = decodeAttributes(listed.body.subarray(4))
  const writer = new MessageWriter()
  writer.begin(messageType(CT_DELETE), NLM_F_REQUEST | NLM_F_ACK, nfgenmsg())
  writer.nest(CTA_TUPLE_ORIG, () => writer.raw(attributes.get(CTA_TUPLE_ORIG) ?? Buffer.alloc(0)))
  writer.attribute(CTA_ID, attributes.get(CTA_ID) ?? Buffer.alloc(4))
  return writer.finish()
}

function isFlow(message: NetlinkMessage, { protocol, destinationPort }: Flow): boolean {
  if (message.type !== messageType(CT_NEW)) return false
  const tuple = decodeAttributes(decodeAttributes(message.body.subarray(4)).get(CTA_TUPLE_ORIG) ?? Buffer.alloc(0))
  const proto = decodeAttributes(tuple.get(CTA_TUPLE_PROTO) ?? Buffer.alloc(0))
  return proto.get(CTA_PROTO_NUM)?.readUInt8() === protocol && proto.get(CTA_PROTO_DST_PORT)?.readUInt16BE() === destinationPort
}

function nfgenmsg(): Buffer {
  return Buffer.of(AF_INET, 0, 0, 0)
}

function messageType(message: number): number {
  return (NFNL_SUBSYS_CTNETLINK << 8) | message
}
