/** `docker attach`: connect our standard streams with a running container. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { attachContainer, inspectContainer, killContainer, resizeContainer, waitContainer } from '#client'
import type { ContainerInspect } from '#api'
import { ExitError } from '../../errors.ts'
import { startSession } from '../../terminal/attach-session.ts'
import { checkTty } from '../../terminal/check-tty.ts'
import { forwardSignals } from '../../terminal/forward-signals.ts'
import { watchSize } from '../../terminal/watch-size.ts'

export const command: Command = defineCommand({
  use: 'attach [OPTIONS] CONTAINER',
  short: 'Attach local standard input, output, and error streams to a running container',
  aliases: ['container attach', 'attach'],
  args: exactly(1),
  flags: {
    'detach-keys': string('Override the key sequence for detaching a container'),
    'no-stdin': bool('Do not attach STDIN'),
    'sig-proxy': bool('Proxy all received signals to the process', { initial: true }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    const engine = cli.engine()
    const container = await inspectContainer(engine, name)
    checkState(container)
    const { Id: id, Config: config } = container
    checkTty(!flags['no-stdin'], config.Tty)
    const wait = await waitContainer(engine, id)
    using cleanup = new DisposableStack()
    if (flags['sig-proxy'] && !config.Tty) cleanup.defer(forwardSignals((signal) => killContainer(engine, id, signal)))
    const detachKeys = flags['detach-keys'] === '' ? (cli.config.detachKeys ?? '') : flags['detach-keys']
    const stdin = !flags['no-stdin'] && config.OpenStdin
    const stream = await attachContainer(engine, id, { stdin, stdout: true, stderr: true, ...(detachKeys === '' ? {} : { detachKeys }) })
    cleanup.defer(() => stream.close())
    // The container may have ended between the first look and the attach, which would then wait for ever.
    checkState(await inspectContainer(engine, id))
    if (config.Tty && cli.stdout.isTerminal) {
      const size = cli.stdout.size()
      // A shell draws its prompt again only when the size changes: one cell more, then the real size.
      if (size !== undefined) await resizeContainer(engine, id, size[0] + 1, size[1] + 1).catch(() => {})
      cleanup.defer(watchSize(cli, (rows, columns) => resizeContainer(engine, id, rows, columns)))
    }
    const session = startSession({ stream, tty: config.Tty, stdin, stdout: cli.stdout, stderr: cli.stderr, detachKeys })
    cleanup.defer(() => session.stop())
    if ((await session.done) === 'detached') throw new ExitError(1, 'read escape sequence')
    const answer = await wait.exit
    if (answer.Error !== undefined && answer.Error !== null) throw new Error(answer.Error.Message)
    if (answer.StatusCode !== OK) throw new ExitError(answer.StatusCode)
    return OK
  },
})

/** Throws Error with Docker's text for a container that cannot be attached to. */
function checkState({ State: state }: ContainerInspect): void {
  if (!state.Running) throw new Error('You cannot attach to a stopped container, start it first')
  if (state.Paused) throw new Error('You cannot attach to a paused container, unpause it first')
  if (state.Restarting) throw new Error('You cannot attach to a restarting container, wait until it is running')
}
