/** `docker rm`: remove containers. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { isNotFound, removeContainer } from '#client'
import { forEachName } from '../for-each.ts'

export const command: Command = defineCommand({
  use: 'rm [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Remove one or more containers',
  aliases: ['container rm', 'container remove', 'rm'],
  args: atLeast(1),
  flags: {
    force: bool('Force the removal of a running container (uses SIGKILL)', { short: 'f' }),
    link: bool('Remove the specified link', { short: 'l' }),
    volumes: bool('Remove anonymous volumes associated with the container', { short: 'v' }),
  },
  async run(cli, { flags, args }) {
    const engine = cli.engine()
    const remove = async (name: string): Promise<void> => {
      const id = name.replace(/^\/+/, '')
      if (id === '') throw new Error('container name cannot be empty')
      await removeContainer(engine, id, { force: flags.force, v: flags.volumes, link: flags.link })
    }
    // With --force a container that is gone already is as it should be.
    await forEachName(cli, args, remove, (error) => flags.force && isNotFound(error))
    return OK
  },
})
