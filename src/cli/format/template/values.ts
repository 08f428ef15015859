/**
 * Values a template works on, and how Go shows them.
 *
 * A JavaScript `Map` stands for a Go map (a missing key is `<no value>`), a plain object for a Go struct (a missing field is an error),
 * a {@link View} for a struct with methods. `undefined` is "no value", `null` is Go's nil.
 */
export type Value = unknown

/** Named fields and methods computed when used: what the rows of a table are made of. */
export class View {
  /** The Go type that error messages name. */
  readonly type: string
  readonly members: Readonly<Record<string, (...args: never[]) => Value>>
  /** A member that is not there is no value, and no error. */
  readonly lenient: boolean

  constructor(type: string, members: Readonly<Record<string, (...args: never[]) => Value>>, options: { lenient?: boolean } = {}) {
    this.type = type
    this.members = members
    this.lenient = options.lenient ?? false
  }

  /** All members without arguments, by name: what `{{json .}}` shows. */
  toJSON(): Record<string, Value> {
    const names = Object.keys(this.members).sort()
    return Object.fromEntries(names.filter((name) => this.members[name]?.length === 0).map((name) => [name, this.members[name]?.()]))
  }
}

/** Go's notion of empty: false, 0, nil, and anything of length 0. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  return true
}

/** Go's `%v`. */
export function show(value: Value): string {
  if (value === undefined) return '<no value>'
  return showNested(value)
}

function showNested(value: Value): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return showNumber(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(showNested).join(' ')}]`
  if (value instanceof Map) {
    const entries = [...(value as Map<string, Value>)].sort(([a], [b]) => (a < b ? -1 : 1))
    return `map[${entries.map(([key, item]) => `${key}:${showNested(item)}`).join(' ')}]`
  }
  if (value instanceof View) return showNested(value.toJSON())
  return `{${Object.values(value).map(showNested).join(' ')}}`
}

/** Whole numbers are Go ints here, whatever their size; the rest is `%v` of a float64. */
function showNumber(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString()
  const exponent = Math.floor(Math.log10(Math.abs(value)))
  if (exponent >= -4 && exponent < 21) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

/** Go's encoding/json without HTML escaping; keys of maps are sorted, fields of structs keep their order. */
export function toJson(value: Value): string {
  const text = JSON.stringify(value === undefined ? null : value, (_, item: unknown) => {
    if (!(item instanceof Map)) return item
    return Object.fromEntries([...(item as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  // Docker's views marshal themselves, and that path of Go escapes for HTML.
  return value instanceof View ? escapeHtml(text) : text
}

/** What Go's encoding/json does to `<`, `>` and `&` unless told otherwise. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&]/g, (character) => String.raw`\u00` + character.charCodeAt(0).toString(16))
}

/** A Go slice that is nil: empty, and null in JSON. */
export const NIL_SLICE: readonly never[] = Object.freeze(Object.assign([], { toJSON: () => null }))

/** The name Go's messages give to the type of a value. */
export function typeName(value: Value): string {
  if (value instanceof View) return value.type
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return '[]interface {}'
  return 'map[string]interface {}'
}
