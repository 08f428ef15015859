/** `docker unpause`: let frozen processes go on. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { unpauseContainer } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'unpause CONTAINER [CONTAINER...]',
  short: 'Unpause all processes within one or more containers',
  aliases: ['container unpause', 'unpause'],
  args: atLeast(1),
  flags: {},
  async run(cli, { args }) {
    const engine = cli.engine()
    await forEachName(cli, args, (name) => unpauseContainer(engine, name))
    return OK
  },
})
