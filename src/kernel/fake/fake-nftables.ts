import { syscallError } from '../ffi/system-calls.ts'
import { concatenate } from '../nftables/batch.ts'
import type { NftElement, NftOperation } from '../nftables/operations.ts'
import type { Nftables } from '../types.ts'

const ENOENT = 2
const EEXIST = 17

/** {@link Nftables} with one table in memory: knows chains, sets and their elements, records every transaction, and fails as the kernel does. */
export function createFakeNftables(): Nftables & { transactions: NftOperation[][]; flushRuleset(): void } {
  const transactions: NftOperation[][] = []
  let state = emptyTable()

  function step(table: Table, operation: NftOperation): void {
    if (operation.op === 'add-table') table.exists = true
    else if (!table.exists) throw syscallError('nftables', ENOENT, [operation.op])
    else if (operation.op === 'delete-table') Object.assign(table, emptyTable())
    else if (operation.op === 'add-chain') table.chains.add(operation.chain)
    else if (operation.op === 'add-set') table.sets.set(operation.set, new Map())
    else if (operation.op === 'add-rule') return
    else changeElements(table, operation)
  }

  return {
    transactions,
    flushRuleset() {
      state = emptyTable()
    },
    apply(_, operations) {
      const next = structuredClone(state)
      for (const operation of operations) step(next, operation)
      state = next
      transactions.push([...operations])
    },
    chains: () => [...state.chains],
    elements(_, set) {
      const elements = state.sets.get(set)
      if (elements === undefined) throw syscallError('nftables', ENOENT, [`list elements ${set}`])
      return [...elements].map(([key, data]) => ({ key: Buffer.from(key, 'hex'), data: Buffer.from(data, 'hex') }))
    },
    [Symbol.dispose]: () => {},
  }
}

interface Table {
  exists: boolean
  chains: Set<string>
  /** Set name to elements: hex key to hex data. */
  sets: Map<string, Map<string, string>>
}

function emptyTable(): Table {
  return { exists: false, chains: new Set(), sets: new Map() }
}

function changeElements(table: Table, operation: Extract<NftOperation, { op: 'add-elements' | 'delete-elements' | 'flush-set' }>): void {
  const elements = table.sets.get(operation.set)
  if (elements === undefined) throw syscallError('nftables', ENOENT, [operation.op, operation.set])
  if (operation.op === 'flush-set') return elements.clear()
  for (const element of operation.elements) {
    const { key, data } = asHex(element)
    const existing = elements.get(key)
    if (operation.op === 'delete-elements' && existing === undefined) throw syscallError('nftables', ENOENT, [operation.op, operation.set])
    if (operation.op === 'add-elements' && existing !== undefined && existing !== data)
      throw syscallError('nftables', EEXIST, [operation.op, operation.set])
    if (operation.op === 'delete-elements') elements.delete(key)
    else elements.set(key, data)
  }
}

function asHex(element: NftElement): { key: string; data: string } {
  return { key: concatenate(element.key).toString('hex'), data: concatenate(element.data ?? []).toString('hex') }
}
