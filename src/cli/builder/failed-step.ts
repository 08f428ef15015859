import { create, ops, type ConnectError } from '#grpc'
import { errorDetail } from './error-detail.ts'

/** What the engine says of a step that failed, ready to be entered. */
export interface FailedStepDetail {
  args: readonly string[]
  env: string[]
  cwd: string
  user: string
  mounts: ops.Mount[]
}

/** `errdefs.Solve` of BuildKit: the operation, and ids of its mounts. */
interface SolveDetail {
  mountIDs?: string[]
  op?: {
    exec?: { meta?: { args?: string[]; env?: string[]; cwd?: string; user?: string }; mounts?: { dest?: string }[] }
  }
}

/** undefined: it was no step with a program. */
export function failedStep(error: ConnectError): FailedStepDetail | undefined {
  const { op, mountIDs = [] } = (errorDetail(error, 'Solve') ?? {}) as SolveDetail
  const exec = op?.exec
  if (exec === undefined) return undefined
  const { args = [], env = [], cwd = '/', user = '' } = exec.meta ?? {}
  const mounts = (exec.mounts ?? []).flatMap(({ dest = '' }, index) => {
    const resultId = mountIDs[index]
    return resultId === undefined ? [] : [create(ops.MountSchema, { dest, resultId })]
  })
  return { args, env, cwd, user, mounts }
}
