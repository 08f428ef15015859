/** `docker volume rm`: remove volumes. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { removeVolume } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'rm [OPTIONS] VOLUME [VOLUME...]',
  short: 'Remove one or more volumes',
  long: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  aliases: ['volume rm', 'volume remove'],
  args: atLeast(1),
  flags: {
    force: bool('Force the removal of one or more volumes', { short: 'f', version: '1.25' }),
  },
  async run(cli, { flags, args }) {
    const engine = cli.engine()
    await forEachName(cli, args, (name) => removeVolume(engine, name, flags.force))
    return OK
  },
})
