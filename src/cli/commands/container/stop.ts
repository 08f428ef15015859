/** `docker stop`: ask containers to end, then kill them. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { stopContainer } from '#client'
import { forEachName } from '../for-each.ts'
import { STOP_FLAGS, stopOptions } from './stop-flags.ts'

export const command: Command = defineCommand({
  use: 'stop [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Stop one or more running containers',
  aliases: ['container stop', 'stop'],
  args: atLeast(1),
  flags: STOP_FLAGS,
  async run(cli, { flags, changed, args }) {
    const engine = cli.engine()
    const options = stopOptions(flags, changed)
    await forEachName(cli, args, (name) => stopContainer(engine, name, options))
    return OK
  },
})
