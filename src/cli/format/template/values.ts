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

  constructor(type: string, members: Readonly<Record<string, (...args: never[]) => Value>>) {
    this.type = type
    this.members = members
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
  return JSON.stringify(value === undefined ? null : value, (_, item: unknown) => {
    if (!(item instanceof Map)) return item
    return Object.fromEntries([...(item as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** The name Go's messages give to the type of a value. */
export function typeName(value: Value): string {
  if (value instanceof View) return value.type
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return '[]interface {}'
  return 'map[string]interface {}'
}
