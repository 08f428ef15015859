/** `docker network ls`: list networks. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { listNetworks } from '#client'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { NETWORK_LIST, networkView } from '../../format/network-view.ts'
import { naturalCompare } from '../../format/text.ts'

export const command: Command = defineCommand({
  use: 'ls [OPTIONS]',
  short: 'List networks',
  aliases: ['network ls', 'network list'],
  args: NO_ARGS,
  flags: {
    filter: filter('Provide filter values (e.g. "driver=bridge")', { short: 'f' }),
    format: string(LIST_FORMAT_HELP),
    'no-trunc': bool('Do not truncate the output'),
    quiet: bool('Only display network IDs', { short: 'q' }),
  },
  async run(cli, { flags }) {
    const format =
      flags.quiet && flags.format === '' ? '{{.ID}}' : chooseFormat(flags.format, cli.config.networksFormat, NETWORK_LIST.table)
    const networks = (await listNetworks(cli.engine(), flags.filter)).sort((a, b) => naturalCompare(a.Name, b.Name))
    const rows = networks.map((network) => networkView(network, !flags['no-trunc']))
    cli.stdout.write(formatList(format, rows, NETWORK_LIST.headers))
    return OK
  },
})
