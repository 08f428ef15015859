import { invalidArgument } from '#errors'
import { parseJson } from '#lib'
import type { Ref } from './graph/ref.ts'
import { readDirectoryIn, readFileIn } from './read-tree.ts'
import type { ReadTreeDeps } from './read-tree.ts'
import type { FileStat } from './session.ts'
import type { FoundStatement } from './types.ts'

/** Bytes of all files together: they are held in memory until they are exported. */
const MAX_BYTES = 64 << 20
const MAX_STATEMENTS = 100
/** Bytes that are read at once. */
const PIECE = 8 << 20
const PROVENANCE = 'https://slsa.dev/provenance/'

/**
 * The statements in a file system that a scanner has written, the one about the image itself first. Throws INVALID_ARGUMENT for files that are none, and for
 * provenance, which only the engine tells. Source: moby/buildkit exporter/attestation/unbundle.go.
 */
export function readStatements(deps: ReadTreeDeps, ref: Ref): FoundStatement[] {
  if (ref.kind === 'layers' && ref.chain === undefined) return []
  const files = readDirectoryIn(deps, ref, '/', '')
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  if (files.length > MAX_STATEMENTS) throw invalidArgument(`a scanner wrote ${files.length} files, more than ${MAX_STATEMENTS}`)
  if (bytes > MAX_BYTES) throw invalidArgument(`a scanner wrote ${bytes} bytes, more than ${MAX_BYTES}`)
  const isMain = ({ path }: FileStat): boolean => path.split('.', 1)[0] === 'sbom'
  const ordered = [...files.filter(isMain), ...files.filter((file) => !isMain(file))]
  return ordered.map((file) => ({ file: file.path, ...decodeStatement(readWhole(deps, ref, file), file.path) }))
}

function readWhole(deps: ReadTreeDeps, ref: Ref, { path, size }: FileStat): Buffer {
  const pieces = [readFileIn(deps, ref, path, { offset: 0, length: PIECE })]
  for (let offset = PIECE; offset < size; offset += PIECE) pieces.push(readFileIn(deps, ref, path, { offset, length: PIECE }))
  return Buffer.concat(pieces)
}

function decodeStatement(bytes: Buffer, file: string): Omit<FoundStatement, 'file'> {
  const { predicateType, predicate, subject } = parse(bytes, file)
  if (typeof predicateType !== 'string' || typeof predicate !== 'object' || predicate === null) {
    throw invalidArgument(`cannot decode in-toto statement ${file}: predicateType and predicate are missing`)
  }
  if (predicateType.startsWith(PROVENANCE)) throw invalidArgument('frontend may not bundle provenance attestations')
  return { predicateType, predicate, subject: Array.isArray(subject) ? subject.map((one: unknown) => decodeSubject(one, file)) : [] }
}

function parse(bytes: Buffer, file: string): Record<string, unknown> {
  try {
    return (parseJson(bytes, { maxBytes: MAX_BYTES, maxDepth: 64 }) ?? {}) as Record<string, unknown>
  } catch (error) {
    throw invalidArgument(`cannot decode in-toto statement ${file}: ${(error as Error).message}`, error)
  }
}

function decodeSubject(value: unknown, file: string): FoundStatement['subject'][number] {
  const { name, digest } = (value ?? {}) as { name?: unknown; digest?: unknown }
  const digests = Object.entries(typeof digest === 'object' && digest !== null ? digest : {})
  if (typeof name !== 'string' || digests.some(([, hex]) => typeof hex !== 'string')) {
    throw invalidArgument(`cannot decode in-toto statement ${file}: a subject is none`)
  }
  return { name: name === '' ? '_' : name, digest: Object.fromEntries(digests) }
}
