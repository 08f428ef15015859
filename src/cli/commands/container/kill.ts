/** `docker kill`: send a signal to the main process of containers. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { killContainer } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'kill [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Kill one or more running containers',
  aliases: ['container kill', 'kill'],
  args: atLeast(1),
  flags: {
    signal: string('Signal to send to the container', { short: 's' }),
  },
  async run(cli, { flags, args }) {
    const engine = cli.engine()
    await forEachName(cli, args, (name) => killContainer(engine, name, flags.signal === '' ? undefined : flags.signal))
    return OK
  },
})
