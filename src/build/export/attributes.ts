import { invalidArgument, notImplemented } from '#errors'
import { parseGoBoolean } from '#lib'
import { NO_ANNOTATIONS, parseAnnotation } from './annotations.ts'
import type { Annotations } from './annotations.ts'

export type Compression = 'uncompressed' | 'gzip' | 'zstd'

/** How layers become blobs. */
export interface CompressionChoice {
  type: Compression
  level: number | undefined
  force: boolean
  /** The user wrote one of these. */
  isWritten: boolean
}

/** Attributes as a client wrote them, taken out one by one; what is left at the end is known to nobody. */
export class AttributeReader {
  readonly #exporter: string
  readonly #rest: Map<string, string>

  constructor(exporter: string, attributes: Readonly<Record<string, string>>) {
    this.#exporter = exporter
    this.#rest = new Map(Object.entries(attributes))
  }

  take(name: string): string | undefined {
    const value = this.#rest.get(name)
    this.#rest.delete(name)
    return value
  }

  /** As Go reads booleans; written without a value it is true. */
  boolean(name: string): boolean | undefined {
    const value = this.take(name)
    return value === undefined ? undefined : parseBoolean(name, value)
  }

  /** Source: moby/buildkit util/compression/parse.go. */
  compression(fallback: Compression = 'gzip'): CompressionChoice {
    const written = this.take('compression')
    const levelText = this.take('compression-level')
    const force = this.boolean('force-compression')
    const type = written === undefined || written === '' ? fallback : parseCompression(written)
    const level = levelText === undefined ? undefined : parseLevel(type, levelText)
    return { type, level, force: force ?? false, isWritten: written !== undefined || level !== undefined || force !== undefined }
  }

  annotations(): Annotations {
    const found = structuredClone(NO_ANNOTATIONS)
    for (const [name, value] of this.#rest) {
      const annotation = parseAnnotation(name, value)
      if (annotation === undefined) continue
      this.#rest.delete(name)
      found.push(annotation)
    }
    return found
  }

  /** Every exporter gets along without these: they are for the client, or for another version of BuildKit. */
  refuse(names: readonly string[]): void {
    for (const name of names) {
      if (this.boolean(name) === true) throw notImplemented(`${name} is not supported by the ${this.#exporter} exporter`)
    }
  }

  /** Throws INVALID_ARGUMENT for what nobody has taken: a misspelt attribute would go unnoticed. */
  end(): void {
    const [unknown] = this.#rest.keys()
    if (unknown !== undefined) throw invalidArgument(`unknown attribute ${JSON.stringify(unknown)} for the ${this.#exporter} exporter`)
  }
}

/** Empty: true. */
export function parseBoolean(name: string, value: string): boolean {
  try {
    return value === '' || parseGoBoolean(value)
  } catch (error) {
    throw invalidArgument(`non-bool value specified for ${name}: ${(error as Error).message}`, error)
  }
}

function parseCompression(text: string): Compression {
  if (text === 'uncompressed' || text === 'gzip' || text === 'zstd') return text
  if (text === 'estargz') throw notImplemented('compression type estargz is not supported; use gzip or zstd')
  throw invalidArgument(`unsupported compression type ${text}`)
}

const LEVELS = { uncompressed: [0, 0], gzip: [0, 9], zstd: [0, 22] } as const

/** zstd takes 0 for its own default. */
function parseLevel(type: Compression, text: string): number | undefined {
  const level = Number(text)
  const [lowest, highest] = LEVELS[type]
  if (!/^\d+$/.test(text)) throw invalidArgument(`non-integer value specified for compression-level: ${text}`)
  if (type === 'uncompressed' || (type === 'zstd' && level === 0)) return undefined
  if (level < lowest || level > highest)
    throw invalidArgument(`compression-level ${level} is not between ${lowest} and ${highest} for ${type}`)
  return level
}
