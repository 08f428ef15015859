/** `docker volume prune`: remove volumes no container uses. */
import { defineCommand, NO_ARGS, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { pruneAndReport, pruneUnusedVolumes } from '../prune.ts'

export const command: Command = defineCommand({
  use: 'prune [OPTIONS]',
  short: 'Remove unused local volumes',
  args: NO_ARGS,
  flags: {
    all: bool('Remove all unused volumes, not just anonymous ones', { short: 'a', version: '1.42' }),
    filter: filter('Provide filter values (e.g. "label=<label>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(cli, { flags }) {
    const question = `WARNING! This will remove ${flags.all ? 'all' : 'anonymous'} local volumes not used by at least one container.\nAre you sure you want to continue?`
    const filters = flags.all ? { ...flags.filter, all: ['true'] } : flags.filter
    return pruneAndReport(cli, { force: flags.force, question }, () => pruneUnusedVolumes(cli, filters))
  },
})
