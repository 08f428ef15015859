/** `docker volume ls`: list volumes. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { listVolumes } from '#client'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { naturalCompare } from '../../format/text.ts'
import { VOLUME_LIST, volumeView } from '../../format/volume-view.ts'

export const command: Command = defineCommand({
  use: 'ls [OPTIONS]',
  short: 'List volumes',
  aliases: ['volume ls', 'volume list'],
  args: NO_ARGS,
  flags: {
    filter: filter('Provide filter values (e.g. "dangling=true")', { short: 'f' }),
    format: string(LIST_FORMAT_HELP),
    quiet: bool('Only display volume names', { short: 'q' }),
  },
  async run(cli, { flags }) {
    const format =
      flags.quiet && flags.format === '' ? '{{.Name}}' : chooseFormat(flags.format, cli.config.volumesFormat, VOLUME_LIST.table)
    const { Volumes } = await listVolumes(cli.engine(), flags.filter)
    const sorted = [...(Volumes ?? [])].sort((a, b) => naturalCompare(a.Name, b.Name))
    cli.stdout.write(formatList(format, sorted.map(volumeView), VOLUME_LIST.headers))
    return OK
  },
})
