/** `docker builder prune`: remove build cache. */
import { parseRamBytes } from '#lib'
import { defineCommand, NO_ARGS, type Command } from '../../command.ts'
import { filter } from '../../opts/filter.ts'
import { bool, custom } from '../../parser/flag.ts'
import { pruneAndReport, pruneBuildCache } from '../prune.ts'

export const command: Command = defineCommand({
  use: 'prune',
  short: 'Remove build cache',
  args: NO_ARGS,
  version: '1.39',
  flags: {
    all: bool('Remove all unused build cache, not just dangling ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "until=24h")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
    'keep-storage': custom('bytes', 0, (_: number, text) => parseRamBytes(text), 'Amount of disk space to keep for cache'),
  },
  async run(cli, { flags }) {
    const what = flags.all ? 'all build cache' : 'all dangling build cache'
    const question = `WARNING! This will remove ${what}. Are you sure you want to continue?`
    return pruneAndReport(cli, { force: flags.force, question }, () =>
      pruneBuildCache(cli, flags.filter, { all: flags.all, keep: flags['keep-storage'] }),
    )
  },
})
