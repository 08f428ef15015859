/** `docker system df`: what takes how much space. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { diskUsage } from '#client'
import { DISK_USAGE_HEADERS, DISK_USAGE_TABLE, diskUsageLists, diskUsageViews, verboseDiskUsage } from '../../format/disk-usage.ts'
import { chooseFormat, formatList } from '../../format/format-list.ts'

export const command: Command = defineCommand({
  use: 'df [OPTIONS]',
  short: 'Show docker disk usage',
  args: NO_ARGS,
  version: '1.25',
  flags: {
    format: string(LIST_FORMAT_HELP),
    verbose: bool('Show detailed information on space usage', { short: 'v' }),
  },
  async run(cli, { flags }) {
    if (flags.verbose && !['', 'table'].includes(flags.format)) throw new Error('custom formats together with --verbose are not supported')
    const lists = diskUsageLists(await diskUsage(cli.engine()))
    const text = flags.verbose
      ? verboseDiskUsage(lists, Date.now())
      : formatList(chooseFormat(flags.format, undefined, DISK_USAGE_TABLE), diskUsageViews(lists), DISK_USAGE_HEADERS)
    cli.stdout.write(text)
    return OK
  },
})
