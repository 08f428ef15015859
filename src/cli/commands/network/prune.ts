/** `docker network prune`: remove networks no container uses. */
import { defineCommand, NO_ARGS, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { pruneAndReport, pruneUnusedNetworks } from '../prune.ts'

export const command: Command = defineCommand({
  use: 'prune [OPTIONS]',
  short: 'Remove all unused networks',
  args: NO_ARGS,
  flags: {
    filter: filter('Provide filter values (e.g. "until=<timestamp>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(cli, { flags }) {
    const question = 'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?'
    return pruneAndReport(cli, { force: flags.force, question }, () => pruneUnusedNetworks(cli, flags.filter))
  },
})
