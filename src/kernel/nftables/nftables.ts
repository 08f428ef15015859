import { createSystemCalls, type SystemCalls, syscallError } from '../ffi/system-calls.ts'
import { NETLINK_NETFILTER, openNetlinkSocket } from '../netlink/socket.ts'
import type { Nftables } from '../types.ts'
import { decodeChain, decodeElements, encodeBatch, encodeDumpChains, encodeDumpElements } from './batch.ts'
import { describeOperation } from './operations.ts'

const EIO = 5

/** {@link Nftables} of the namespace the calling thread is in. */
export function openNftables(system: SystemCalls = createSystemCalls()): Nftables {
  const socket = openNetlinkSocket(system, NETLINK_NETFILTER)

  function dump(request: Buffer, about: string): ReturnType<typeof socket.exchange>['messages'] {
    const reply = socket.exchange(request)
    const [error] = reply.errors
    if (error !== undefined) throw syscallError('nftables', error.errno, [about], error.text)
    return reply.messages
  }

  return {
    apply(table, operations) {
      if (operations.length === 0) return
      const { bytes, sequences, last } = encodeBatch(table, operations)
      const reply = socket.exchange(bytes)
      const [error] = reply.errors
      if (error !== undefined) {
        const culprit = sequences.get(error.sequence)
        throw syscallError('nftables', error.errno, [culprit === undefined ? 'batch' : describeOperation(culprit)], error.text)
      }
      if (!reply.acknowledged.has(last)) throw syscallError('nftables', EIO, ['batch'], 'no answer')
    },
    chains({ family, table }) {
      return dump(encodeDumpChains(family), 'list chains')
        .map(decodeChain)
        .filter((found) => found?.table === table)
        .map((found) => found?.chain ?? '')
    },
    elements: (table, set) => dump(encodeDumpElements(table, set), `list elements ${set}`).flatMap(decodeElements),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }
}
