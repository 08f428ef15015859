import { digestOf } from '#oci'
import type { Digest } from '#oci'
import type { Edge, Op, Vertex, VertexMeta } from './types.ts'

/** A vertex, named by what it does and what it does it with. */
export function vertex(op: Op, inputs: readonly Edge[], meta: VertexMeta): Vertex {
  const description = { op, inputs: inputs.map(({ vertex: { id }, output }) => [id, output]) }
  return { id: digestOf(Buffer.from(canonicalJson(description))), op, inputs, meta }
}

/** Text of plain data in which equal data is equal: members sorted, absent ones left out, bytes as base64. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value))
}

function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(canonical)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, canonical(member)]))
}

/** Digest of plain data. */
export function digestOfData(value: unknown): Digest {
  return digestOf(Buffer.from(canonicalJson(value)))
}
