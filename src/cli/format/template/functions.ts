import { isTrue, NIL_SLICE, show, toJson, typeName, View, type Value } from './values.ts'

export type TemplateFunction = (...args: Value[]) => Value

/** Functions by name: Go's own and the ones Docker adds. `and` and `or` are here for eager use; the evaluator stops early. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  not: (value) => !isTrue(value),
  eq: (first, ...rest) => rest.some((other) => equals(first, other)),
  ne: (a, b) => !equals(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  index: (value, ...keys) => keys.reduce(index, value),
  slice,
  len: length,
  print: (...args) => joinArguments(args, false),
  println: (...args) => `${joinArguments(args, true)}\n`,
  printf: (format, ...args) => sprintf(String(format), args),
  html: (...args) => joinArguments(args, false).replace(/[&<>"']/g, (character) => HTML_ESCAPES[character] ?? character),
  urlquery: (...args) => encodeURIComponent(joinArguments(args, false)).replaceAll('%20', '+'),
  json: (value) => toJson(value),
  split: (text, separator) => String(text).split(String(separator)),
  join: (items, separator) => (items as Value[]).map(show).join(String(separator)),
  title: (text) =>
    String(text).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  lower: (text) => String(text).toLowerCase(),
  upper: (text) => String(text).toUpperCase(),
  pad: (text, before, after) => (text === '' ? '' : `${' '.repeat(Number(before))}${show(text)}${' '.repeat(Number(after))}`),
  truncate: (text, length) => String(text).slice(0, Number(length)),
}

const HTML_ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

function equals(a: Value, b: Value): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null)
  if (typeof a !== typeof b) throw new Error('incompatible types for comparison')
  return a === b
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new Error(typeof a === typeof b ? 'invalid type for comparison' : 'incompatible types for comparison')
}

function index(value: Value, key: Value): Value {
  if (value === NIL_SLICE) throw new Error('index of untyped nil')
  if (Array.isArray(value) || typeof value === 'string') {
    if (typeof key !== 'number') throw new Error(`cannot index slice/array with type ${typeName(key)}`)
    if (key < 0 || key >= value.length) throw new Error(`index out of range: ${key}`)
    return typeof value === 'string' ? value.charCodeAt(key) : (value[key] as Value)
  }
  if (value instanceof Map) return (value as Map<string, Value>).get(String(key))
  if (typeof value === 'object' && value !== null && !(value instanceof View)) return (value as Record<string, Value>)[String(key)]
  if (value === null || value === undefined) throw new Error('index of untyped nil')
  throw new Error(`can't index item of type ${typeName(value)}`)
}

function slice(value: Value, from: Value = 0, to?: Value): Value {
  if (typeof value !== 'string' && !Array.isArray(value)) throw new Error(`can't slice item of type ${typeName(value)}`)
  const end = to === undefined ? value.length : Number(to)
  for (const bound of [Number(from), end]) if (bound < 0 || bound > value.length) throw new Error(`index out of range: ${bound}`)
  return value.slice(Number(from), end)
}

function length(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  if (value === null || value === undefined) throw new Error('len of nil pointer')
  if (typeof value === 'object' && !(value instanceof View)) return Object.keys(value).length
  throw new Error(`len of type ${typeName(value)}`)
}

/** Print puts spaces between operands when neither is a string, Println always. */
function joinArguments(args: readonly Value[], always: boolean): string {
  return args
    .map((arg, at) => {
      const spaced = at > 0 && (always || (typeof arg !== 'string' && typeof args[at - 1] !== 'string'))
      return `${spaced ? ' ' : ''}${show(arg)}`
    })
    .join('')
}

/** Go's fmt.Sprintf for the verbs templates use: v s q d x X o b t f e g c %, with flags, width and precision. */
function sprintf(format: string, args: readonly Value[]): string {
  let next = 0
  const text = format.replace(
    /%([-+# 0]*)(\d+|\*)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      const columns = width === '*' ? Number(args[next++]) : Number(width ?? 0)
      if (next >= args.length) return `%!${verb}(MISSING)`
      const shown = formatVerb(verb, args[next++], flags, precision === undefined ? undefined : Number(precision))
      if (flags.includes('-')) return shown.padEnd(columns)
      const zeros = flags.includes('0') && /^[-+]?[\d.]/.test(shown)
      return zeros ? shown.replace(/^[-+]?/, (sign) => sign + '0'.repeat(Math.max(0, columns - shown.length))) : shown.padStart(columns)
    },
  )
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${show(arg)}`)
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`
}

function formatVerb(verb: string, value: Value, flags: string, precision: number | undefined): string {
  switch (verb) {
    case 'v':
      return show(value)
    case 's': {
      const text = typeof value === 'number' ? `%!s(${typeName(value)}=${show(value)})` : show(value)
      return precision === undefined ? text : text.slice(0, precision)
    }
    case 'q':
      return JSON.stringify(show(value))
    case 't':
      return typeof value === 'boolean' ? String(value) : `%!t(${typeName(value)}=${show(value)})`
    case 'c':
      return String.fromCodePoint(Number(value))
  }
  if (typeof value !== 'number') {
    if (verb !== 'x' && verb !== 'X') return `%!${verb}(${typeName(value)}=${show(value)})`
    const hex = Buffer.from(show(value)).toString('hex')
    return verb === 'x' ? hex : hex.toUpperCase()
  }
  const sign = flags.includes('+') && value >= 0 ? '+' : ''
  switch (verb) {
    case 'd':
      return sign + (Number.isInteger(value) ? show(value) : `%!d(float64=${show(value)})`)
    case 'x':
      return value.toString(16)
    case 'X':
      return value.toString(16).toUpperCase()
    case 'o':
      return value.toString(8)
    case 'b':
      return value.toString(2)
    case 'f':
      return sign + value.toFixed(precision ?? 6)
    case 'e':
      return sign + value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')
    case 'g':
      return sign + (precision === undefined ? String(value) : String(Number(value.toPrecision(precision))))
    default:
      return `%!${verb}(${typeName(value)}=${show(value)})`
  }
}
