/** Exec: what create and start take, and what inspect gives. */

import type { ExecInspect } from '#api'
import type { Exec, ExecRequest } from '#containers'
import { field, flag, struct, stringOrList, text, textList, type StructCodec } from './codec.ts'
import { consoleSize } from './host-config.ts'

export const execRequest: StructCodec<ExecRequest> = struct<ExecRequest>('container.ExecCreateRequest', {
  cmd: field('Cmd', stringOrList),
  env: field('Env', textList),
  user: field('User', text),
  workingDir: field('WorkingDir', text),
  privileged: field('Privileged', flag),
  tty: field('Tty', flag),
  attachStdin: field('AttachStdin', flag),
  attachStdout: field('AttachStdout', flag),
  attachStderr: field('AttachStderr', flag),
  detachKeys: field('DetachKeys', text),
  consoleSize: field('ConsoleSize', consoleSize, { since: 42 }),
})

export const EMPTY_EXEC_REQUEST: ExecRequest = {
  cmd: [],
  env: [],
  user: '',
  workingDir: '',
  privileged: false,
  tty: false,
  attachStdin: false,
  attachStdout: false,
  attachStderr: false,
  detachKeys: '',
}

export interface ExecStart {
  detach: boolean
  tty: boolean
  consoleSize?: [number, number]
}

export const execStart: StructCodec<ExecStart> = struct<ExecStart>('container.ExecStartRequest', {
  detach: field('Detach', flag),
  tty: field('Tty', flag),
  consoleSize: field('ConsoleSize', consoleSize, { since: 42 }),
})

export function encodeExec(exec: Exec): ExecInspect {
  const { request } = exec
  const [entrypoint = '', ...args] = request.cmd
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: request.tty,
      entrypoint,
      arguments: args,
      privileged: request.privileged,
      ...(request.user === '' ? {} : { user: request.user }),
    },
    OpenStdin: exec.openStdin,
    OpenStderr: request.attachStderr,
    OpenStdout: request.attachStdout,
    CanRemove: exec.canRemove,
    ContainerID: exec.containerId,
    DetachKeys: request.detachKeys,
    Pid: exec.pid,
  }
}
