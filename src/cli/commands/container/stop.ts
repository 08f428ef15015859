/** `docker stop`: ask containers to end, then kill them. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { int, string } from '../../parser/flag.ts'
import { stopContainer } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'stop [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Stop one or more running containers',
  aliases: ['container stop', 'stop'],
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
    await forEachName(cli, args, (name) => stopContainer(engine, name, options))
    return OK
  },
})
