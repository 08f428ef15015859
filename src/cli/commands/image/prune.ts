/** `docker image prune`: remove images nobody needs. */
import { defineCommand, NO_ARGS, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { pruneAndReport, pruneUnusedImages } from '../prune.ts'

export const command: Command = defineCommand({
  use: 'prune [OPTIONS]',
  short: 'Remove unused images',
  args: NO_ARGS,
  flags: {
    all: bool('Remove all unused images, not just dangling ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "until=<timestamp>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(cli, { flags }) {
    const what = flags.all ? 'all images without at least one container associated to them' : 'all dangling images'
    const question = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`
    return pruneAndReport(cli, { force: flags.force, question }, () => pruneUnusedImages(cli, flags.filter, flags.all))
  },
})
