/** `docker cp`: copy files between a container and this machine. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { copyFromContainer, copyIntoContainer, splitCopyArgument } from './copy.ts'

export const command: Command = defineCommand({
  use: 'cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\t{program} cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  short: 'Copy files/folders between a container and the local filesystem',
  long: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  aliases: ['container cp', 'cp'],
  args: exactly(2),
  flags: {
    archive: bool('Archive mode (copy all uid/gid information)', { short: 'a' }),
    'follow-link': bool('Always follow symbol link in SRC_PATH', { short: 'L' }),
    quiet: bool('Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached', {
      short: 'q',
    }),
  },
  async run(cli, { flags, changed, args }) {
    const [source = '', destination = ''] = args
    if (source === '') throw new Error('source can not be empty')
    if (destination === '') throw new Error('destination can not be empty')
    const from = splitCopyArgument(source)
    const to = splitCopyArgument(destination)
    const options = {
      followLink: flags['follow-link'],
      archive: flags.archive,
      // Progress is for people: without a terminal there is none unless it was asked for.
      quiet: changed.has('quiet') ? flags.quiet : !cli.stdout.isTerminal,
    }
    if (from.container !== '' && to.container !== '') throw new Error('copying between containers is not supported')
    if (from.container === '' && to.container === '') throw new Error('must specify at least one container source')
    if (from.container === '') await copyIntoContainer(cli, from.path, to, options)
    else await copyFromContainer(cli, from, to.path, options)
    return OK
  },
})
