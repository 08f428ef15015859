/**
 * Checks of decoded JSON, for documents that strangers wrote. Each throws INVALID_ARGUMENT that names the field.
 * As in Go's decoder, null counts as absent.
 */

import { invalidArgument } from '#errors'
import { parseJson } from '#lib'
import { isDigest } from './digest.ts'
import type { Digest } from './image-spec.ts'

/**
 * Real documents have less than ten. Attack: a member that we do not know is kept, and overflows the stack of whoever writes it again
 * (JSON.stringify, structuredClone).
 */
const MAX_DEPTH = 1000

export type JsonObject = Record<string, unknown>

export function parseJsonObject(bytes: Uint8Array, what: string, limit: number): JsonObject {
  if (bytes.length > limit) throw invalidArgument(`invalid ${what}: ${bytes.length} bytes, at most ${limit} are allowed`)
  let value: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = parseJson(text, { maxBytes: limit, maxDepth: MAX_DEPTH })
  } catch (cause) {
    throw invalidArgument(`invalid ${what}: not JSON`, cause)
  }
  return object(value, what)
}

export function object(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidArgument(`invalid ${what}: not an object`)
  return value as JsonObject
}

export function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw invalidArgument(`invalid ${what}: not a string`)
  return value
}

/** A count or a size: an integer that a double holds exactly. */
export function natural(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalidArgument(`invalid ${what}: not a natural number`)
  return value as number
}

export function digest(value: unknown, what: string): Digest {
  if (!isDigest(value)) throw invalidArgument(`invalid ${what}: not a sha256 digest`)
  return value
}

export function array<T>(value: unknown, what: string, limit: number, element: (value: unknown, what: string) => T): T[] {
  if (!Array.isArray(value)) throw invalidArgument(`invalid ${what}: not a list`)
  if (value.length > limit) throw invalidArgument(`invalid ${what}: ${value.length} entries, at most ${limit} are allowed`)
  return value.map((entry, index) => element(entry, `${what}[${index}]`))
}

export function stringMap(value: unknown, what: string): Record<string, string> {
  const map = object(value, what)
  for (const [key, entry] of Object.entries(map)) string(entry, `${what}.${key}`)
  return map as Record<string, string>
}

/** Applies `check` unless the value is absent or null. */
export function optional<T>(value: unknown, what: string, check: (value: unknown, what: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : check(value, what)
}
