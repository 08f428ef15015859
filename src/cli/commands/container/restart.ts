/** `docker restart`: stop containers and start them again. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { restartContainer } from '#client'
import { forEachName } from '../for-each.ts'
import { STOP_FLAGS, stopOptions } from './stop-flags.ts'

export const command: Command = defineCommand({
  use: 'restart [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Restart one or more containers',
  aliases: ['container restart', 'restart'],
  args: atLeast(1),
  flags: STOP_FLAGS,
  async run(cli, { flags, changed, args }) {
    const engine = cli.engine()
    const options = stopOptions(flags, changed)
    await forEachName(cli, args, (name) => restartContainer(engine, name, options))
    return OK
  },
})
