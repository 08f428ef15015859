/**
 * `docker run`: create a container, attach to it, start it, and end with its status.
 *
 * The order of requests matters. Attach and wait are registered before start, so that neither output nor the exit of a short-lived
 * process is missed; as they do not depend on each other they go out together, on connections opened while create is under way.
 */
import { attachContainer, killContainer, resizeContainer, startContainer, waitContainer, type HijackedStream } from '#client'
import type { Cli } from '../../cli.ts'
import { OK, atLeast, defineCommand, type Command } from '../../command.ts'
import { ExitError } from '../../errors.ts'
import { bool, string } from '../../parser/flag.ts'
import { startSession, type Session } from '../../terminal/attach-session.ts'
import { checkTty } from '../../terminal/check-tty.ts'
import { forwardSignals } from '../../terminal/forward-signals.ts'
import { watchSize } from '../../terminal/watch-size.ts'
import type { CreateBody } from './container-config.ts'
import { createWithPull, prepareBody } from './create-container.ts'
import { CREATE_FLAGS } from './create-flags.ts'
import { createFailure } from './run-errors.ts'
import { exitStatus } from './wait-exit.ts'

export const command: Command = defineCommand({
  use: 'run [OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create and run a new container from an image',
  aliases: ['container run', 'run'],
  args: atLeast(1),
  interspersed: false,
  flags: {
    ...CREATE_FLAGS,
    detach: bool('Run container in background and print container ID', { short: 'd' }),
    'detach-keys': string('Override the key sequence for detaching a container'),
    pull: string('Pull image before running ("always", "missing", "never")', { initial: 'missing' }),
    'sig-proxy': bool('Proxy received signals to the process', { initial: true }),
  },
  async run(cli, invocation) {
    const { flags } = invocation
    let body
    try {
      body = prepareBody(cli, invocation)
    } catch (error) {
      throw createFailure(cli, 'run', error)
    }
    if (flags.detach) {
      if (flags.attach.length > 0) throw new Error('conflicting options: cannot specify both --attach and --detach')
      Object.assign(body, { AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false })
    } else checkTty(body.AttachStdin, body.Tty)
    const attaches = body.AttachStdin || body.AttachStdout || body.AttachStderr
    // One connection for attach; wait takes the other, and start the one that create came back on.
    if (attaches) cli.engine().warm(2)
    let id
    try {
      id = await createWithPull(cli, body, flags)
    } catch (error) {
      throw createFailure(cli, 'run', error)
    }
    return attaches ? runAttached(cli, id, body, flags) : runDetached(cli, id)
  },
})

async function runDetached(cli: Cli, id: string): Promise<number> {
  // The id is printed even when the start fails: the container is there.
  cli.print(id)
  try {
    await startContainer(cli.engine(), id)
  } catch (error) {
    throw createFailure(cli, 'run', error)
  }
  return OK
}

async function runAttached(
  cli: Cli,
  id: string,
  body: CreateBody,
  flags: { rm: boolean; 'sig-proxy': boolean; 'detach-keys': string },
): Promise<number> {
  const engine = cli.engine()
  using cleanup = new DisposableStack()
  if (flags['sig-proxy']) cleanup.defer(forwardSignals((signal) => killContainer(engine, id, signal)))
  const detachKeys = flags['detach-keys'] === '' ? (cli.config.detachKeys ?? '') : flags['detach-keys']
  if (!body.AttachStdout && !body.AttachStderr) cli.print(id)

  const [stream, wait] = await Promise.all([
    attachContainer(engine, id, {
      stdin: body.AttachStdin,
      stdout: body.AttachStdout,
      stderr: body.AttachStderr,
      ...(detachKeys === '' ? {} : { detachKeys }),
    }),
    waitContainer(engine, id, flags.rm ? 'removed' : 'next-exit'),
  ])
  const session = startSession(sessionOptions(cli, body, stream, detachKeys))
  cleanup.defer(() => session.stop())

  try {
    await startContainer(engine, id)
  } catch (error) {
    session.stop()
    // With --rm the daemon removes what could not be started; a script that goes on at once must not find it still there.
    if (flags.rm) await wait.exit.catch(() => {})
    throw createFailure(cli, 'run', error)
  }
  if (body.Tty && cli.stdout.isTerminal) cleanup.defer(watchSize(cli, (rows, columns) => resizeContainer(engine, id, rows, columns)))
  // Awaited here: returning the promise would let go of signals and session at once.
  return await finish(cli, session, wait.exit, body)
}

function sessionOptions(cli: Cli, body: CreateBody, stream: HijackedStream, detachKeys: string): Parameters<typeof startSession>[0] {
  return {
    stream,
    tty: body.Tty,
    stdin: body.AttachStdin,
    ...(body.AttachStdout ? { stdout: cli.stdout } : {}),
    ...(body.AttachStderr ? { stderr: body.Tty ? cli.stdout : cli.stderr } : {}),
    detachKeys,
  }
}

async function finish(cli: Cli, session: Session, exit: Parameters<typeof exitStatus>[1], body: CreateBody): Promise<number> {
  const how = await session.done
  if (how === 'detached' || (!body.AttachStdout && !body.AttachStderr)) return OK
  const status = await exitStatus(cli, exit)
  if (status !== OK) throw new ExitError(status)
  return OK
}
