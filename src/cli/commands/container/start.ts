/** `docker start`: start containers, attached to one or detached from many. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { attachContainer, inspectContainer, killContainer, resizeContainer, startContainer, waitContainer } from '#client'
import type { Cli } from '../../cli.ts'
import { errorText, ExitError } from '../../errors.ts'
import { startSession } from '../../terminal/attach-session.ts'
import { forwardSignals } from '../../terminal/forward-signals.ts'
import { watchSize } from '../../terminal/watch-size.ts'
import { exitStatus } from './wait-exit.ts'

export const command: Command = defineCommand({
  use: 'start [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Start one or more stopped containers',
  aliases: ['container start', 'start'],
  args: atLeast(1),
  flags: {
    attach: bool('Attach STDOUT/STDERR and forward signals', { short: 'a' }),
    'detach-keys': string('Override the key sequence for detaching a container'),
    interactive: bool("Attach container's STDIN", { short: 'i' }),
    checkpoint: string('Restore from this checkpoint', { experimental: true }),
    'checkpoint-dir': string('Use a custom checkpoint storage directory', { experimental: true }),
  },
  async run(cli, { flags, args }) {
    if (flags.checkpoint !== '' || flags['checkpoint-dir'] !== '') throw new Error('checkpoints are not supported')
    if (flags.attach || flags.interactive) {
      if (args.length > 1) throw new Error('you cannot start and attach multiple containers at once')
      return startAttached(cli, args[0] ?? '', flags)
    }
    const failed: string[] = []
    for (const name of args) {
      try {
        await startContainer(cli.engine(), name)
        cli.print(name)
      } catch (error) {
        cli.warn(errorText(error))
        failed.push(name)
      }
    }
    if (failed.length > 0) throw new Error(`Error: failed to start containers: ${failed.join(', ')}`)
    return OK
  },
})

async function startAttached(cli: Cli, name: string, flags: { interactive: boolean; 'detach-keys': string }): Promise<number> {
  const engine = cli.engine()
  const container = await inspectContainer(engine, name)
  const { Id: id, Config: config } = container
  using cleanup = new DisposableStack()
  if (!config.Tty) cleanup.defer(forwardSignals((signal) => killContainer(engine, id, signal)))
  const detachKeys = flags['detach-keys'] === '' ? (cli.config.detachKeys ?? '') : flags['detach-keys']
  const stdin = flags.interactive && config.OpenStdin
  // Both before start, so that neither output nor exit is missed.
  const [stream, wait] = await Promise.all([
    attachContainer(engine, id, { stdin, stdout: true, stderr: true, ...(detachKeys === '' ? {} : { detachKeys }) }),
    waitContainer(engine, id, container.HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ])
  const session = startSession({ stream, tty: config.Tty, stdin, stdout: cli.stdout, stderr: cli.stderr, detachKeys })
  cleanup.defer(() => session.stop())
  try {
    await startContainer(engine, id)
  } catch (error) {
    session.stop()
    if (container.HostConfig.AutoRemove) await wait.exit.catch(() => {})
    throw error
  }
  if (config.Tty && cli.stdout.isTerminal) cleanup.defer(watchSize(cli, (rows, columns) => resizeContainer(engine, id, rows, columns)))
  if ((await session.done) === 'detached') return OK
  const status = await exitStatus(cli, wait.exit)
  if (status !== OK) throw new ExitError(status)
  return OK
}
