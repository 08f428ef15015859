import { closeSync, read, readSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { type SystemCalls, syscallError } from '../ffi/system-calls.ts'
import { type NetlinkMessage, NLMSG_DONE, NLMSG_ERROR, NLM_F_DUMP_INTR, decodeError, decodeMessages, u32 } from './message.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const SOL_NETLINK = 270
const SOL_SOCKET = 1
const SO_SNDBUFFORCE = 32
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
/** struct sockaddr_nl: the family, then port id 0 and no groups. */
const KERNEL = Buffer.concat([u32(AF_NETLINK), Buffer.alloc(8)])

export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12

/** The kernel never sends more than this at once (net/netlink/af_netlink.c, netlink_recvmsg: 32 KiB), and doubles on some dumps. */
const READ_SIZE = 64 * 1024
/** A firewall table of 50,000 ports is one message of 5 MB; the default of 208 KB would refuse it (EMSGSIZE). Memory is taken only while it is sent. */
const SEND_SIZE = 32 * 1024 * 1024
/** A dump that something changed meanwhile is asked for again; past this it is taken as it is. */
const MAX_INTERRUPTED_DUMPS = 8
/**
 * Bytes of memory for one reply. Root of a container fills the tables of its namespace as it likes; a host's 262,144 connections (the usual
 * nf_conntrack_max) take two thirds of this.
 */
const MAX_REPLY = 256 * 1024 * 1024
/** What a message takes beside its body. */
const MESSAGE_COST = 256
const EMSGSIZE = 90

/** What a request brought back. A refused message becomes an entry in `errors`; sequence numbers are those of the request's messages. */
export interface NetlinkReply {
  messages: NetlinkMessage[]
  errors: { sequence: number; errno: number; text: string }[]
  acknowledged: Set<number>
  /** The table changed while it was dumped: entries may be missing or twice. */
  interrupted: boolean
}

interface Collection extends NetlinkReply {
  /** Bytes of memory left for it. */
  left: number
}

export interface NetlinkSocket extends Disposable {
  /** Sends the messages in one datagram and collects every answer. Throws SyscallError only when the socket itself fails, or the answers are too many. */
  exchange(bytes: Buffer): NetlinkReply
  /** The same on a thread of the pool, for walks over big tables. Exchanges of one socket must not overlap. */
  exchangeInBackground(bytes: Buffer): Promise<NetlinkReply>
}

/**
 * A netlink socket of the network namespace the calling thread is in now; it stays with that namespace. The kernel handles a request inside the
 * write and continues dumps inside the reads, so all answers are there without waiting: the socket never blocks, and EAGAIN means "that was all".
 * Capability: CAP_NET_ADMIN for changes.
 */
export function openNetlinkSocket(system: SystemCalls, protocol: number, maxReply: number = MAX_REPLY): NetlinkSocket {
  const fd = system.call('socket', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)
  const input = Buffer.alloc(READ_SIZE)
  try {
    setUp(system, fd)
    while (readNow(fd, input) !== undefined); // sent by others before it was connected
  } catch (error) {
    closeSync(fd)
    throw error
  }

  return {
    exchange(bytes) {
      for (let tries = 0; ; tries++) {
        const reply = emptyReply(maxReply)
        writeSync(fd, bytes)
        for (let size = readNow(fd, input); size !== undefined; size = readNow(fd, input)) collect(reply, input.subarray(0, size))
        checkSize(reply)
        if (!reply.interrupted || tries === MAX_INTERRUPTED_DUMPS) return reply
      }
    },
    async exchangeInBackground(bytes) {
      const reply = emptyReply(maxReply)
      await writeLater(fd, bytes)
      for (let size = await readInBackground(fd, input); size !== undefined; size = await readInBackground(fd, input)) {
        collect(reply, input.subarray(0, size))
      }
      checkSize(reply)
      return reply
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

function setUp(system: SystemCalls, fd: number): void {
  for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) system.call('setsockopt', fd, SOL_NETLINK, option, u32(1), 4)
  system.attempt('setsockopt', fd, SOL_SOCKET, SO_SNDBUFFORCE, u32(SEND_SIZE), 4) // needs CAP_NET_ADMIN, as all changes do
  // Root of a container may send to any socket in its namespace, ours too, and what it says would pass for the kernel's answer. A socket that is
  // connected to the kernel takes nothing from others (netlink_getsockbyportid: ECONNREFUSED for them).
  system.call('connect', fd, KERNEL, KERNEL.length)
}

function emptyReply(left: number): Collection {
  return { messages: [], errors: [], acknowledged: new Set(), interrupted: false, left }
}

/** Past the limit the rest is read and forgotten, for it must not pass for the answer to the next request; `checkSize` then says so. */
function collect(reply: Collection, datagram: Buffer): void {
  if (reply.left < 0) return
  for (const message of decodeMessages(datagram)) {
    reply.left -= MESSAGE_COST + message.body.length
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) reply.interrupted = true
    if (message.type === NLMSG_ERROR) {
      const { errno, text } = decodeError(message)
      if (errno === 0) reply.acknowledged.add(message.sequence)
      else reply.errors.push({ sequence: message.sequence, errno, text })
    } else if (message.type === NLMSG_DONE) {
      reply.acknowledged.add(message.sequence)
    } else {
      reply.messages.push({ ...message, body: Buffer.from(message.body) }) // the next read overwrites the input
    }
  }
}

function checkSize(reply: Collection): void {
  if (reply.left < 0) throw syscallError('read', EMSGSIZE, ['netlink'], 'more answers than fit into memory')
}

const writeLater = promisify(write)
const readLater = promisify(read)

/** Size of the next datagram, or undefined when there is none. */
function readNow(fd: number, input: Buffer): number | undefined {
  try {
    return readSync(fd, input)
  } catch (error) {
    return nothingOrThrow(error)
  }
}

async function readInBackground(fd: number, input: Buffer): Promise<number | undefined> {
  try {
    return (await readLater(fd, input, 0, input.length, null)).bytesRead
  } catch (error) {
    return nothingOrThrow(error)
  }
}

function nothingOrThrow(error: unknown): undefined {
  const { code, errno = 0 } = error as NodeJS.ErrnoException
  if (code !== 'EAGAIN') throw syscallError('read', -errno, ['netlink'])
}
