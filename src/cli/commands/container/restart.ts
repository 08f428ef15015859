/** `docker restart`: stop containers and start them again. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { int, string } from '../../parser/flag.ts'
import { restartContainer } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'restart [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Restart one or more containers',
  aliases: ['container restart', 'restart'],
  args: atLeast(1),
  flags: {
    signal: string('Signal to send to the container', { short: 's' }),
    timeout: int('Seconds to wait before killing the container', { short: 't' }),
    time: int('Seconds to wait before killing the container', { hidden: true, aliasOf: 'timeout' }),
  },
  async run(cli, { flags, changed, args }) {
    const engine = cli.engine()
    const options = {
      ...(flags.signal === '' ? {} : { signal: flags.signal }),
      ...(changed.has('timeout') ? { timeout: flags.timeout } : {}),
    }
    await forEachName(cli, args, (name) => restartContainer(engine, name, options))
    return OK
  },
})
