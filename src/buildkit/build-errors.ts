import type { BuildError, SourceRange } from '#build'
import { toGrpcError, type ConnectError, type ErrorDetail } from '#grpc'

/** Types under which Go clients know the details; what they hold is JSON. Source: moby/buildkit solver/errdefs, containerd typeurl. */
const TYPE_PREFIX = 'github.com/moby/buildkit/errdefs.'

/** An error as clients of BuildKit expect it: where in the Dockerfile, and at which step. */
export function describeBuildError(error: unknown): ConnectError {
  const { source, vertex } = factsOf(error)
  const details: ErrorDetail[] = []
  if (vertex !== undefined) details.push(detail('Vertex', { digest: vertex }))
  if (source !== undefined) details.push(detail('Source', sourceJson(source)))
  return toGrpcError(error, details)
}

/** By what it holds, as this module takes no values of `build`. */
function factsOf(error: unknown): Partial<Pick<BuildError, 'source' | 'vertex'>> {
  return error instanceof Error && error.name === 'BuildError' ? (error as BuildError) : {}
}

function detail(type: string, value: object): ErrorDetail {
  return { type: `${TYPE_PREFIX}${type}+json`, value: Buffer.from(JSON.stringify(value)) }
}

/** The names of fields are those of Go's generated structs. */
function sourceJson({ file, start, end }: SourceRange): object {
  return {
    info: { filename: file.name, data: Buffer.from(file.text).toString('base64'), language: 'Dockerfile' },
    ranges: [{ start: { line: start }, end: { line: end } }],
  }
}
