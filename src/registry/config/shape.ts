import { parseGoDuration } from '#lib'

/** What a value of the configuration file must look like, and how it becomes typed. */
export interface Shape<T> {
  /** Throws Error that begins with `path` (`http.tls.key`). `notes` takes what the operator should know and what is no error. */
  decode(value: unknown, path: string, notes: string[]): T
  /** The shape behind `key`, for sections and maps. */
  member?(key: string): Shape<unknown> | undefined
}

type Decoded<S> = S extends Shape<infer T> ? T : never

type Members = Readonly<Record<string, Shape<unknown>>>
type Section<M extends Members> = { [K in keyof M]?: Decoded<M[K]> }

/**
 * A mapping with known keys, all optional here; whoever uses the section says what it needs. A key without a value counts as absent. `refused`: keys of
 * docker-registry that are not served, with what to say about it.
 */
export function section<M extends Members>(members: M, refused: Readonly<Record<string, string>> = {}): Shape<Section<M>> {
  return {
    decode(value, path, notes) {
      const decoded: Record<string, unknown> = {}
      for (const [key, inner] of Object.entries(mapping(value, path))) {
        const here = join(path, key)
        const shape = Object.hasOwn(members, key) ? members[key] : undefined
        if (shape !== undefined) {
          if (inner !== null || shape.member !== undefined) decoded[key] = shape.decode(inner, here, notes)
        } else if (Object.hasOwn(refused, key)) throw new Error(`${here}: not supported: ${refused[key]}`)
        else throw new Error(`${here}: unknown key`)
      }
      // The table ties each key to the type of its shape.
      return decoded as Section<M>
    },
    member: (key) => (Object.hasOwn(members, key) ? members[key] : undefined),
  }
}

/** What is made of a value once it has its shape: defaults, and checks that need several keys. `finish` throws Error that begins with `path`. */
export function refine<T, U>(shape: Shape<T>, finish: (value: T, path: string) => U): Shape<U> {
  return { ...shape, decode: (value, path, notes) => finish(shape.decode(value, path, notes), path) }
}

/** What a section is when the file does not have it. */
export function absent<T>(shape: Shape<T>, path: string): T {
  return shape.decode({}, path, [])
}

/** For keys that have no default. */
export function required<T>(value: T | undefined, path: string, key: string): T {
  if (value === undefined) throw new Error(`${join(path, key)}: is required`)
  return value
}

export function mapOf<T>(values: Shape<T>): Shape<Record<string, T>> {
  return {
    decode: (value, path, notes) =>
      Object.fromEntries(Object.entries(mapping(value, path)).map(([key, inner]) => [key, values.decode(inner, join(path, key), notes)])),
    member: () => values,
  }
}

export function listOf<T>(items: Shape<T>): Shape<T[]> {
  return {
    decode(value, path, notes) {
      if (!Array.isArray(value)) throw wrong(path, value, 'a list')
      return value.map((item: unknown, index) => items.decode(item, `${path}[${index}]`, notes))
    },
  }
}

/** Numbers are taken, too: `username: 12345` is a name. */
export const text: Shape<string> = {
  decode(value, path) {
    if (typeof value === 'string') return value
    if (typeof value === 'number') return String(value)
    throw wrong(path, value, 'a string')
  },
}

export const flag: Shape<boolean> = {
  decode(value, path) {
    if (typeof value === 'boolean') return value
    throw wrong(path, value, 'true or false')
  },
}

export const count: Shape<number> = {
  decode(value, path) {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw wrong(path, value, 'a whole number, zero or more')
  },
}

/** `10s`, `1h30m`; a bare number is nanoseconds, as in docker-registry. In milliseconds. */
export const duration: Shape<number> = {
  decode(value, path) {
    if (typeof value === 'number' && value >= 0) return value / 1e6
    if (typeof value !== 'string') throw wrong(path, value, 'a duration like 10s')
    try {
      const nanoseconds = parseGoDuration(value)
      if (nanoseconds >= 0) return nanoseconds / 1e6
    } catch {
      // Told below, with the key.
    }
    throw wrong(path, value, 'a duration like 10s')
  },
}

export function oneOf<const T extends string>(...names: readonly T[]): Shape<T> {
  return {
    decode(value, path) {
      const found = names.find((name) => name === String(value))
      if (found !== undefined) return found
      throw wrong(path, value, names.join(', '))
    },
  }
}

/** A key of docker-registry's that asks for something we have no use for: taken, so that the file stays as it is, and told to the operator. */
export function needless<T>(shape: Shape<T>, reason: string): Shape<T> {
  return {
    ...shape,
    decode(value, path, notes) {
      const decoded = shape.decode(value, path, notes)
      notes.push(`${path} has no effect: ${reason}`)
      return decoded
    },
  }
}

function mapping(value: unknown, path: string): Record<string, unknown> {
  if (value === null || value === undefined) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(path, value, 'a mapping')
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function wrong(path: string, value: unknown, wanted: string): Error {
  return new Error(`${path === '' ? 'the file' : path}: cannot use ${JSON.stringify(value)}: wanted is ${wanted}`)
}
