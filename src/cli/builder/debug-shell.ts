import { randomUUID } from 'node:crypto'
import { create, gateway, ops, type ConnectError } from '#grpc'
import type { Cli } from '../cli.ts'
import { enterRawMode } from '../terminal/raw-mode.ts'
import { watchSize } from '../terminal/watch-size.ts'
import { failureMessage } from './build-failure.ts'
import type { BuildDisplay } from './display/display.ts'
import { failedStep, type FailedStepDetail } from './failed-step.ts'
import { MessageQueue } from './message-queue.ts'
import type { RunningBuild } from './run-build.ts'

/** File descriptors of a process: standard input, output, error. */
const FDS = [0, 1, 2]

/** Tries a better shell first. */
const SHELL = ['/bin/sh', '-c', 'if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi']

/**
 * Opens a shell in the state just before the step that has failed, with its mounts, variables, user and directory, and waits for its end. Says why when there
 * is no step to enter.
 */
export async function openDebugShell(
  cli: Cli,
  { connection, headers }: RunningBuild,
  error: ConnectError,
  display: BuildDisplay,
): Promise<void> {
  display.end(true)
  const step = failedStep(error)
  cli.warn(failureMessage(error).message)
  if (step === undefined) return cli.warn('no step to enter: the build failed before or after its steps')
  const isTerminal = process.stdin.isTTY && cli.stdout.isTerminal
  const containerId = randomUUID().replaceAll('-', '')
  const { bridge } = connection
  await bridge.newContainer({ containerId, mounts: step.mounts }, { headers })
  try {
    cli.warn(`entering the state before: ${step.args.join(' ')}\nleave the shell to end the build`)
    await runShell(cli, bridge, headers, { containerId, step, tty: isTerminal })
  } finally {
    await bridge.releaseContainer({ containerId }, { headers }).catch(() => {}) // it ends with the build at the latest
  }
}

async function runShell(
  cli: Cli,
  bridge: RunningBuild['connection']['bridge'],
  headers: Record<string, string>,
  { containerId, step, tty }: { containerId: string; step: FailedStepDetail; tty: boolean },
): Promise<void> {
  const processId = randomUUID().replaceAll('-', '')
  const outgoing = new MessageQueue<gateway.ExecMessage>()
  const send = (input: gateway.ExecMessage['input']): void => outgoing.push(create(gateway.ExecMessageSchema, { processId, input }))
  const file = (fd: number, data: Uint8Array, eof: boolean): gateway.ExecMessage['input'] => ({
    case: 'file',
    value: create(gateway.FdMessageSchema, { fd, data, eof }),
  })
  const meta = create(ops.MetaSchema, {
    args: SHELL,
    env: tty ? [...step.env, `TERM=${cli.env['TERM'] ?? 'xterm'}`] : step.env,
    cwd: step.cwd,
    user: step.user,
  })
  send({ case: 'init', value: create(gateway.InitMessageSchema, { containerId, meta, fds: FDS, tty }) })
  await using session = new AsyncDisposableStack()
  const messages = bridge.execProcess(outgoing, { headers })
  for await (const { input } of messages) {
    if (input.case === 'started') attachInput(cli, tty, session, { send, file })
    else if (input.case === 'file') (input.value.fd === 2 ? cli.stderr : cli.stdout).write(input.value.data)
    else if (input.case === 'exit' || input.case === 'done') outgoing.end()
    if (input.case === 'done') break
  }
}

/** Keys, size and interrupts of our terminal go to the shell while it runs. */
function attachInput(
  cli: Cli,
  tty: boolean,
  session: AsyncDisposableStack,
  {
    send,
    file,
  }: {
    send: (input: gateway.ExecMessage['input']) => void
    file: (fd: number, data: Uint8Array, eof: boolean) => gateway.ExecMessage['input']
  },
): void {
  const { stdin } = process
  if (tty) {
    session.defer(enterRawMode())
    const resize = async (rows: number, cols: number): Promise<void> =>
      send({ case: 'resize', value: create(gateway.ResizeMessageSchema, { rows, cols }) })
    session.defer(watchSize(cli, resize))
  }
  const onData = (data: Buffer): void => send(file(0, data, false))
  const onEnd = (): void => send(file(0, new Uint8Array(), true))
  stdin.on('data', onData).on('end', onEnd)
  session.defer(() => void stdin.off('data', onData).off('end', onEnd).pause())
}
