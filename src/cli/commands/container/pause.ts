/** `docker pause`: freeze the processes of containers. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { pauseContainer } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'pause CONTAINER [CONTAINER...]',
  short: 'Pause all processes within one or more containers',
  aliases: ['container pause', 'pause'],
  args: atLeast(1),
  flags: {},
  async run(cli, { args }) {
    const engine = cli.engine()
    await forEachName(cli, args, (name) => pauseContainer(engine, name))
    return OK
  },
})
