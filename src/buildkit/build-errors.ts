import type { BuildError, ExecOp, FailedStep, SourceRange } from '#build'
import { codeOf, EngineError } from '#errors'
import { toGrpcError, type ConnectError, type ErrorDetail } from '#grpc'

/** Types under which Go clients know the details; what they hold is JSON. Source: moby/buildkit solver/errdefs, containerd typeurl. */
export const TYPE_PREFIX = 'github.com/moby/buildkit/errdefs.'

/** An error as clients of BuildKit expect it: where in the Dockerfile, at which step, and by which ids the state before it can be entered. */
export function describeBuildError(error: unknown): ConnectError {
  const { source, vertex, step } = buildFacts(error)
  const details: ErrorDetail[] = []
  if (vertex !== undefined) details.push(detail('Vertex', { digest: vertex }))
  if (source !== undefined) details.push(detail('Source', sourceJson(source)))
  if (step?.vertex.op.kind === 'exec') details.push(detail('Solve', solveJson(step, step.vertex.op)))
  return toGrpcError(codeOf(error) === 'CANCELLED' ? error : plain(error), details)
}

/** Clients put the name of any other code than `unknown` before the text, and BuildKit's errors have none. */
function plain(error: unknown): unknown {
  return error instanceof EngineError ? new Error(error.message, { cause: error }) : error
}

/** By what it holds, as this module takes no values of `build`. */
export function buildFacts(error: unknown): Partial<Pick<BuildError, 'source' | 'vertex' | 'step'>> {
  return error instanceof Error && error.name === 'BuildError' ? (error as BuildError) : {}
}

/** Under which a client asks for the file systems of a failed step. */
export function failedStepId({ vertex }: FailedStep): string {
  return `gantry-step:${vertex.id}`
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

/** One id stands for all mounts of the step. This one is JSON of protocol buffers, not of Go's structs, and a name too much voids it. */
function solveJson(step: FailedStep, { args, env, cwd, user, mounts }: ExecOp): object {
  const id = failedStepId(step)
  return {
    mountIDs: mounts.map(() => id),
    op: { exec: { meta: { args, env, cwd, user }, mounts: mounts.map(({ target }) => ({ dest: target })) } },
  }
}
