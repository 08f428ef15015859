/** `docker system dial-stdio`: what `ssh://` addresses run on the other side. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { openTransport } from '#client'

export const command: Command = defineCommand({
  use: 'dial-stdio',
  short: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
  args: NO_ARGS,
  flags: {},
  async run(cli) {
    const transport = await openTransport(cli.engine().endpoint)
    const { stdin } = process
    const ended = Promise.withResolvers<void>()
    transport.listener = {
      onData: (chunk) => cli.stdout.write(chunk),
      onEnd: () => ended.resolve(),
      onError: (error) => ended.reject(error),
      onDrain: () => stdin.resume(),
    }
    stdin.on('data', (chunk: Buffer) => {
      if (!transport.write(chunk)) stdin.pause()
    })
    // The other side may have half-closed: what the daemon still sends must arrive.
    stdin.on('end', () => transport.end())
    await ended.promise
    transport.destroy()
    stdin.destroy()
    return OK
  },
})
