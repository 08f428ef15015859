import type { FailedStep, ReturnedError, SourceRange } from '#build'
import { fromGrpcError, type ConnectError } from '#grpc'
import { parseJson } from '#lib'
import { isDigest } from '#oci'
import { TYPE_PREFIX } from './build-errors.ts'

const LIMITS = { maxBytes: 4 * 1024 * 1024, maxDepth: 64 }

/**
 * What an error that a frontend has handed over tells: the way back from `describeBuildError`. `failedSteps`: of those that the frontend was told of, by id. Details
 * that nobody can read are left out: the text is what counts.
 */
export function returnedError(error: ConnectError, failedSteps: ReadonlyMap<string, FailedStep>): ReturnedError {
  const { code, message } = fromGrpcError(error)
  const { digest } = detailOf(error, 'Vertex')
  return {
    code,
    message,
    source: sourceIn(detailOf(error, 'Source')),
    vertex: typeof digest === 'string' && isDigest(digest) ? digest : undefined,
    step: stepIn(detailOf(error, 'Solve'), failedSteps),
    cause: error,
  }
}

type Members = Readonly<Record<string, unknown>>

function detailOf({ details }: ConnectError, name: string): Members {
  for (const detail of details) {
    if ('type' in detail && detail.type === `${TYPE_PREFIX}${name}+json`)
      return membersOf(() => parseJson(Buffer.from(detail.value), LIMITS))
  }
  return {}
}

function sourceIn({ info, ranges }: Members): SourceRange | undefined {
  const { filename, data } = membersOf(() => info)
  const [range] = Array.isArray(ranges) ? (ranges as unknown[]) : []
  const { start, end } = membersOf(() => range)
  const first = membersOf(() => start)['line']
  const last = membersOf(() => end)['line'] ?? first
  if (typeof filename !== 'string' || typeof data !== 'string' || typeof first !== 'number' || typeof last !== 'number') return undefined
  return { file: { name: filename, text: Buffer.from(data, 'base64').toString() }, start: first, end: last }
}

/** One id stands for all mounts of a step. */
function stepIn({ mountIDs }: Members, failedSteps: ReadonlyMap<string, FailedStep>): FailedStep | undefined {
  const [id] = Array.isArray(mountIDs) ? (mountIDs as unknown[]) : []
  return typeof id === 'string' ? failedSteps.get(id) : undefined
}

function membersOf(read: () => unknown): Members {
  try {
    const value = read()
    return value !== null && typeof value === 'object' ? (value as Members) : {}
  } catch {
    return {}
  }
}
