/** `docker system prune`: remove everything nobody needs. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { humanSize } from '#lib'
import {
  pruneBuildCache,
  pruneStoppedContainers,
  pruneUnusedImages,
  pruneUnusedNetworks,
  pruneUnusedVolumes,
  pruneFilters,
} from '../prune.ts'
import { naturalCompare } from '../../format/text.ts'
import { confirm } from '../../terminal/confirm.ts'

export const command: Command = defineCommand({
  use: 'prune [OPTIONS]',
  short: 'Remove unused data',
  args: NO_ARGS,
  version: '1.25',
  flags: {
    all: bool('Remove all unused images not just dangling ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "label=<key>=<value>")', { version: '1.28' }),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
    volumes: bool('Prune anonymous volumes'),
  },
  async run(cli, { flags }) {
    if (flags.volumes && 'until' in flags.filter) throw new Error('ERROR: The "until" filter is not supported with "--volumes"')
    const filters = Object.entries(pruneFilters(cli, flags.filter)).flatMap(([name, values]) => values.map((value) => `${name}=${value}`))
    if (!flags.force && !(await confirm(cli, question(flags, filters.sort(naturalCompare))))) return OK
    const steps = [
      () => pruneStoppedContainers(cli, flags.filter),
      () => pruneUnusedNetworks(cli, flags.filter),
      ...(flags.volumes ? [() => pruneUnusedVolumes(cli, flags.filter)] : []),
      () => pruneUnusedImages(cli, flags.filter, flags.all),
      () => pruneBuildCache(cli, flags.filter, { all: flags.all, keep: 0 }),
    ]
    let reclaimed = 0
    for (const step of steps) {
      const pruned = await step()
      reclaimed += pruned.reclaimed ?? 0
      if (pruned.text !== '') cli.print(pruned.text)
    }
    cli.print(`Total reclaimed space: ${humanSize(reclaimed)}`)
    return OK
  },
})

function question(flags: { all: boolean; volumes: boolean }, filters: readonly string[]): string {
  const warnings = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(flags.volumes ? ['all anonymous volumes not used by at least one container'] : []),
    flags.all ? 'all images without at least one container associated to them' : 'all dangling images',
    flags.all ? 'all build cache' : 'unused build cache',
  ]
  const list = (items: readonly string[]): string => items.map((item) => `\n  - ${item}`).join('')
  const filtered = filters.length === 0 ? '' : `\n  Items to be pruned will be filtered with:${list(filters)}\n`
  return `WARNING! This will remove:${list(warnings)}\n${filtered}\nAre you sure you want to continue?`
}
