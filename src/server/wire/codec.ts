/**
 * Combinators that describe a Go struct once and get both directions from it: wire JSON to domain object, and back.
 *
 * Decoding follows Go's `encoding/json`: keys match in any case, null leaves a field unset, unknown keys are ignored, and a wrong type is
 * refused with Go's sentence. Encoding follows Docker's choice per field between null, an empty list, and leaving the field out.
 *
 * ```ts
 * const restartPolicy = struct<RestartPolicy>('container.RestartPolicy', {
 *   name: field('Name', text),
 *   maximumRetryCount: field('MaximumRetryCount', integer('int')),
 * })
 * restartPolicy.decode({ name: 'always' }, 44)            // { name: 'always' }
 * ```
 */

import type { ApiVersion } from '#api'
import { invalidArgument } from '#errors'

/** One direction each. `json` is never null or undefined: {@link struct} handles those. */
export interface Codec<T> {
  decode(json: unknown, version: ApiVersion): T
  encode(value: T, version: ApiVersion): unknown
  /** Go's zero value: what `omitempty` leaves out. */
  isZero(value: T): boolean
}

/** A value of the wrong JSON type. The structs on the way up add their field; the outermost turns it into an EngineError. */
export class WrongType extends Error {
  readonly #kind: string
  readonly #goType: string
  readonly #path: string[] = []
  #struct: string | undefined

  /** `kind`: what was sent, when its value says more than its type. */
  constructor(json: unknown, goType: string, kind: string = goKind(json)) {
    super('wrong JSON type')
    this.#kind = kind
    this.#goType = goType
  }

  within(struct: string, field: string): this {
    this.#struct ??= struct.slice(struct.lastIndexOf('.') + 1)
    this.#path.unshift(field)
    return this
  }

  /** Go's `json.UnmarshalTypeError`. */
  describe(): string {
    const where = this.#struct === undefined ? 'Go value' : `Go struct field ${this.#struct}.${this.#path.join('.')}`
    return `json: cannot unmarshal ${this.#kind} into ${where} of type ${this.#goType}`
  }
}

function goKind(json: unknown): string {
  if (Array.isArray(json)) return 'array'
  if (typeof json === 'boolean') return 'bool'
  return typeof json
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

export const text: Codec<string> = {
  decode(json) {
    if (typeof json !== 'string') throw new WrongType(json, 'string')
    return json
  },
  encode: (value) => value,
  isZero: (value) => value === '',
}

export const flag: Codec<boolean> = {
  decode(json) {
    if (typeof json !== 'boolean') throw new WrongType(json, 'bool')
    return json
  },
  encode: (value) => value,
  isZero: (value) => !value,
}

/** Bits of Go's integer types; those that are not here have 64. */
const INTEGER_BITS: Record<string, number> = { uint16: 16, uint32: 32 }

/** `goType` is what the message shows: `int`, `int64`, `uint16` (those starting with u take no negative number). */
export function integer(goType: string): Codec<number> {
  const bits = INTEGER_BITS[goType] ?? 64
  const [least, bound] = goType.startsWith('u') ? [0, 2 ** bits] : [-(2 ** (bits - 1)), 2 ** (bits - 1)]
  return {
    decode(json) {
      if (typeof json !== 'number') throw new WrongType(json, goType)
      if (!Number.isInteger(json) || json < least || json >= bound) throw new WrongType(json, goType, `number ${json}`)
      return json
    },
    encode: (value) => value,
    isZero: (value) => value === 0,
  }
}

export function list<T>(item: Codec<T>, goType: string): Codec<T[]> {
  return {
    decode(json, version) {
      if (!Array.isArray(json)) throw new WrongType(json, goType)
      return json.filter((element) => element !== null).map((element) => item.decode(element, version))
    },
    encode: (values, version) => values.map((value) => item.encode(value, version)),
    isZero: (values) => values.length === 0,
  }
}

export const textList: Codec<string[]> = list(text, '[]string')

/** Go's strslice: a list of strings, or one string alone. */
export const stringOrList: Codec<string[]> = {
  decode: (json, version) => (typeof json === 'string' ? [json] : textList.decode(json, version)),
  encode: (value) => value,
  isZero: (value) => value.length === 0,
}

/** `map[string]string`. The object is passed through, so a key like `__proto__` stays an ordinary own property. */
export const textMap: Codec<Record<string, string>> = {
  decode(json, version) {
    if (!isObject(json)) throw new WrongType(json, 'map[string]string')
    for (const key of Object.keys(json)) {
      if (json[key] === null) json[key] = ''
      else text.decode(json[key], version)
    }
    return json as Record<string, string>
  },
  encode: (value) => value,
  isZero: isEmptyObject,
}

/** A map from names to `T`; null values are given to `absent`. */
export function mapOf<T>(item: Codec<T>, goType: string, absent: () => T): Codec<Record<string, T>> {
  return {
    decode(json, version) {
      if (!isObject(json)) throw new WrongType(json, goType)
      return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, value === null ? absent() : item.decode(value, version)]))
    },
    encode: (value, version) => Object.fromEntries(Object.entries(value).map(([key, element]) => [key, item.encode(element, version)])),
    isZero: isEmptyObject,
  }
}

/** Go's `map[string]struct{}`: a set of names, the domain's list. */
export const nameSet: Codec<string[]> = {
  decode(json) {
    if (!isObject(json)) throw new WrongType(json, 'map[string]struct {}')
    return Object.keys(json)
  },
  encode: (names) => Object.fromEntries(names.toSorted().map((name) => [name, {}])),
  isZero: (value) => value.length === 0,
}

/** The same wire form under another domain type. */
export function convert<Wire, Domain>(
  codec: Codec<Wire>,
  toDomain: (wire: Wire) => Domain,
  toWire: (domain: Domain) => Wire,
): Codec<Domain> {
  return {
    decode: (json, version) => toDomain(codec.decode(json, version)),
    encode: (value, version) => codec.encode(toWire(value), version),
    isZero: (value) => codec.isZero(toWire(value)),
  }
}

function isEmptyObject(value: object): boolean {
  for (const _ in value) return false
  return true
}

interface FieldOptions {
  /** How Go's zero value is written: as it is (default), left out, or as null. */
  zero?: 'keep' | 'omit' | 'null'
  /** What is written when the domain has no value; left out when not given. */
  absent?: unknown
  /** First and last API version that has the field, both ways. */
  since?: ApiVersion
  until?: ApiVersion
}

export interface Field<T> extends FieldOptions {
  wire: string
  codec: Codec<T>
}

export function field<T>(wire: string, codec: Codec<T>, options: FieldOptions = {}): Field<T> {
  return { wire, codec, ...options }
}

/** A table with every member of `D`: forgetting one does not compile. */
export type FieldTable<D> = { [K in keyof D]-?: Field<NonNullable<D[K]>> }

/** `decode` gives only what was sent; `complete` fills the rest. */
export interface StructCodec<D> {
  decode(json: unknown, version: ApiVersion): Partial<D>
  encode(value: D, version: ApiVersion): Record<string, unknown>
  /** A codec for the whole object, with `defaults` for what was not sent. */
  complete(defaults: D): Codec<D>
}

type AnyField = Field<unknown> & { key: string }

/** `constants` are wire fields the domain does not have, always written the same. */
export function struct<D extends object>(goType: string, table: FieldTable<D>, constants: Record<string, unknown> = {}): StructCodec<D> {
  const fields: AnyField[] = Object.entries(table as Record<string, Field<unknown>>).map(([key, entry]) => ({ key, ...entry }))
  const byName = new Map<string, AnyField>()
  for (const entry of fields) byName.set(entry.wire, entry).set(entry.wire.toLowerCase(), entry)

  const codec: StructCodec<D> = {
    decode(json, version) {
      if (!isObject(json)) throw new WrongType(json, goType)
      const result: Record<string, unknown> = {}
      let current = ''
      try {
        for (const name of Object.keys(json)) {
          const value = json[name]
          const entry = byName.get(name) ?? byName.get(name.toLowerCase())
          if (entry === undefined || value === null || !isIn(entry, version)) continue
          current = entry.wire
          result[entry.key] = entry.codec.decode(value, version)
        }
      } catch (error) {
        throw error instanceof WrongType ? error.within(goType, current) : error
      }
      return result as Partial<D>
    },

    encode(value, version) {
      const result: Record<string, unknown> = {}
      for (const entry of fields) {
        if (!isIn(entry, version)) continue
        const member = (value as Record<string, unknown>)[entry.key]
        if (member === undefined || member === null) {
          if (entry.absent !== undefined) result[entry.wire] = entry.absent
        } else if (entry.zero === undefined || entry.zero === 'keep' || !entry.codec.isZero(member)) {
          result[entry.wire] = entry.codec.encode(member, version)
        } else if (entry.zero === 'null') result[entry.wire] = null
      }
      return Object.assign(result, constants)
    },

    complete: (defaults) => ({
      decode: (json, version) => ({ ...defaults, ...codec.decode(json, version) }),
      encode: (value, version) => codec.encode(value, version),
      isZero: (value) => isEmptyObject(codec.encode(value, Number.MAX_SAFE_INTEGER)),
    }),
  }
  return codec
}

/** A nested struct of which only what was sent is wanted. */
export function partial<D extends object>(codec: StructCodec<D>): Codec<Partial<D>> {
  return {
    decode: (json, version) => codec.decode(json, version),
    encode: (value, version) => codec.encode(value as D, version),
    isZero: isEmptyObject,
  }
}

function isIn(entry: AnyField, version: ApiVersion): boolean {
  return (entry.since === undefined || version >= entry.since) && (entry.until === undefined || version <= entry.until)
}

/** Decodes a whole body; undefined and null (no body) give `{}`. Throws INVALID_ARGUMENT. */
export function decodeBody<D>(codec: StructCodec<D>, json: unknown, version: ApiVersion): Partial<D> {
  if (json === undefined || json === null) return {}
  try {
    return codec.decode(json, version)
  } catch (error) {
    if (error instanceof WrongType) throw invalidArgument(`invalid JSON: ${error.describe()}`, error)
    throw error
  }
}
