/** `builder du`: what the build cache consists of. */
import { diskUsage } from '#client'
import { humanSize } from '#lib'
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { BUILD_CACHE_LIST, buildCacheTotals, buildCacheView } from '../../format/build-cache-view.ts'
import { diskUsageLists } from '../../format/disk-usage.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { bool, string } from '../../parser/flag.ts'

export const command: Command = defineCommand({
  use: 'du [OPTIONS]',
  short: 'Disk usage of the build cache',
  args: NO_ARGS,
  flags: {
    format: string(LIST_FORMAT_HELP),
    'no-trunc': bool("Don't truncate output"),
    verbose: bool('Show what each record is', { short: 'v' }),
  },
  async run(cli, { flags }) {
    const { buildCache } = diskUsageLists(await diskUsage(cli.engine()))
    const table = flags.verbose ? `${BUILD_CACHE_LIST.table}\t{{.Description}}` : BUILD_CACHE_LIST.table
    const format = chooseFormat(flags.format, undefined, table)
    const views = buildCache.map((record) => buildCacheView(record, { truncate: !flags['no-trunc'], now: Date.now() }))
    cli.stdout.write(formatList(format, views, BUILD_CACHE_LIST.headers))
    if (flags.format !== '') return OK
    const { size, reclaimable } = buildCacheTotals(buildCache)
    cli.print(`Reclaimable:\t${humanSize(reclaimable)}\nTotal:\t\t${humanSize(size)}`)
    return OK
  },
})
