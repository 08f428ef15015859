/** `docker history`: the layers of an image and what made them. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { imageHistory } from '#client'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { HISTORY_LIST, HISTORY_RAW_TABLE, historyView } from '../../format/image-view.ts'
import { parsePlatformOption } from '../../opts/platform.ts'

export const command: Command = defineCommand({
  use: 'history [OPTIONS] IMAGE',
  short: 'Show the history of an image',
  aliases: ['image history', 'history'],
  args: exactly(1),
  flags: {
    format: string(LIST_FORMAT_HELP),
    human: bool('Print sizes and dates in human readable format', { short: 'H', initial: true }),
    'no-trunc': bool("Don't truncate output"),
    platform: string('Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")', { version: '1.48' }),
    quiet: bool('Only show image IDs', { short: 'q' }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    const table = flags.human ? HISTORY_LIST.table : HISTORY_RAW_TABLE
    const format = flags.quiet && ['', 'table'].includes(flags.format) ? '{{.ID}}' : chooseFormat(flags.format, undefined, table)
    const items = await imageHistory(cli.engine(), name, flags.platform === '' ? undefined : parsePlatformOption(flags.platform))
    const now = Date.now()
    const rows = items.map((item) => historyView(item, { truncate: !flags['no-trunc'], human: flags.human, now }))
    cli.stdout.write(formatList(format, rows, HISTORY_LIST.headers))
    return OK
  },
})
