/** `docker commit`: make an image of a container. */
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { bool, list, string } from '../../parser/flag.ts'
import { commitContainer } from '#client'
import { familiarName, parseReference } from '#oci'

export const command: Command = defineCommand({
  use: 'commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  short: "Create a new image from a container's changes",
  aliases: ['container commit', 'commit'],
  args: between(1, 2),
  flags: {
    author: string('Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', { short: 'a' }),
    change: list('Apply Dockerfile instruction to the created image', { short: 'c' }),
    message: string('Commit message', { short: 'm' }),
    pause: bool('Pause container during commit', { short: 'p', initial: true }),
  },
  async run(cli, { flags, args }) {
    const [container = '', target] = args
    const reference = target === undefined ? undefined : parseReference(target)
    if (reference?.digest !== undefined) throw new Error('cannot commit to digest reference')
    const { Id } = await commitContainer(cli.engine(), {
      container,
      ...(reference === undefined ? {} : { repo: familiarName(reference), tag: reference.tag ?? 'latest' }),
      comment: flags.message,
      author: flags.author,
      pause: flags.pause ? '1' : '0',
      changes: flags.change,
    })
    cli.print(Id)
    return OK
  },
})
