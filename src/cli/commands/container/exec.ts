/** `docker exec`: run a command in a running container. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool, list, string } from '../../parser/flag.ts'
import { attachExec, createExec, inspectContainer, inspectExec, resizeExec, startExecDetached } from '#client'
import type { Cli } from '../../cli.ts'
import { ExitError } from '../../errors.ts'
import { checkEnv, readKeyValues } from '../../opts/key-values.ts'
import { startSession } from '../../terminal/attach-session.ts'
import { checkTty } from '../../terminal/check-tty.ts'
import { watchSize } from '../../terminal/watch-size.ts'

export const command: Command = defineCommand({
  use: 'exec [OPTIONS] CONTAINER COMMAND [ARG...]',
  short: 'Execute a command in a running container',
  aliases: ['container exec', 'exec'],
  args: atLeast(2),
  interspersed: false,
  flags: {
    detach: bool('Detached mode: run command in the background', { short: 'd' }),
    'detach-keys': string('Override the key sequence for detaching a container'),
    env: list('Set environment variables', { short: 'e', check: (text) => checkEnv(text, process.env), version: '1.25' }),
    'env-file': list('Read in a file of environment variables', { version: '1.25' }),
    interactive: bool('Keep STDIN open even if not attached', { short: 'i' }),
    privileged: bool('Give extended privileges to the command'),
    tty: bool('Allocate a pseudo-TTY', { short: 't' }),
    user: string('Username or UID (format: "<name|uid>[:<group|gid>]")', { short: 'u' }),
    workdir: string('Working directory inside the container', { short: 'w', version: '1.35' }),
  },
  async run(cli, { flags, args }) {
    const [name = '', ...commandLine] = args
    const engine = cli.engine()
    const env = readKeyValues(flags['env-file'], flags.env, cli.env)
    const stdin = !flags.detach && flags.interactive
    // A container that does not exist is told before the terminal that is missing.
    await inspectContainer(engine, name)
    if (!flags.detach) checkTty(stdin, flags.tty)
    const detachKeys = flags['detach-keys'] === '' ? (cli.config.detachKeys ?? '') : flags['detach-keys']
    const consoleSize = flags.tty ? { ConsoleSize: cli.stdout.size() ?? ([0, 0] as [number, number]) } : {}
    const { Id: id } = await createExec(engine, name, {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: flags.tty,
      ...consoleSize,
      AttachStdin: stdin,
      AttachStdout: !flags.detach,
      AttachStderr: !flags.detach,
      DetachKeys: detachKeys,
      Env: env,
      WorkingDir: flags.workdir,
      Cmd: commandLine,
    })
    if (id === '') throw new Error('exec ID empty')
    if (flags.detach) {
      await startExecDetached(engine, id, { Detach: true, Tty: flags.tty, ...consoleSize })
      return OK
    }
    return runAttached(cli, id, { tty: flags.tty, stdin, detachKeys, consoleSize })
  },
})

interface ExecOptions {
  tty: boolean
  stdin: boolean
  detachKeys: string
  consoleSize: { ConsoleSize?: [number, number] }
}

async function runAttached(cli: Cli, id: string, { tty, stdin, detachKeys, consoleSize }: ExecOptions): Promise<number> {
  const engine = cli.engine()
  using cleanup = new DisposableStack()
  const stream = await attachExec(engine, id, { Detach: false, Tty: tty, ...consoleSize })
  const session = startSession({ stream, tty, stdin, stdout: cli.stdout, stderr: cli.stderr, detachKeys })
  cleanup.defer(() => session.stop())
  if (tty && process.stdin.isTTY) cleanup.defer(watchSize(cli, (rows, columns) => resizeExec(engine, id, rows, columns)))
  if ((await session.done) === 'detached') throw new ExitError(1, 'read escape sequence')
  const status = (await inspectExec(engine, id)).ExitCode ?? OK
  if (status !== OK) throw new ExitError(status)
  return OK
}
