/** `docker network disconnect`: take a container off a network. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { disconnectNetwork } from '#client'

export const command: Command = defineCommand({
  use: 'disconnect [OPTIONS] NETWORK CONTAINER',
  short: 'Disconnect a container from a network',
  args: exactly(2),
  flags: {
    force: bool('Force the container to disconnect from a network', { short: 'f' }),
  },
  async run(cli, { flags, args }) {
    const [name = '', container = ''] = args
    await disconnectNetwork(cli.engine(), name, { Container: container, Force: flags.force })
    return OK
  },
})
