/** `docker context ls`: list contexts. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { defaultHost } from '../../config/resolve-endpoint.ts'
import { DEFAULT_CONTEXT, listContexts } from '../../config/context-store.ts'
import { CONTEXT_LIST, contextView, type ContextRow } from '../../format/context-view.ts'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { naturalCompare } from '../../format/text.ts'
import type { Cli } from '../../cli.ts'

export const command: Command = defineCommand({
  use: 'ls [OPTIONS]',
  short: 'List contexts',
  aliases: ['context ls', 'context list'],
  args: NO_ARGS,
  flags: {
    format: string(LIST_FORMAT_HELP),
    quiet: bool('Only show context names', { short: 'q' }),
  },
  async run(cli, { flags }) {
    const format = flags.quiet && flags.format === '' ? '{{ .Name }}' : chooseFormat(flags.format, undefined, CONTEXT_LIST.table)
    const rows = [defaultRow(cli), ...listContexts(cli.configDirectory).map(storedRow)].sort((a, b) => naturalCompare(a.name, b.name))
    const views = rows.map((row) => contextView({ ...row, current: row.name === cli.contextName }))
    cli.stdout.write(formatList(format, views, CONTEXT_LIST.headers))
    if ((cli.env['DOCKER_HOST'] ?? '') !== '') {
      cli.warn(
        'Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.',
      )
    }
    return OK
  },
})

type Row = Omit<ContextRow, 'current'>

function defaultRow(cli: Cli): Row {
  const description = 'Current DOCKER_HOST based configuration'
  try {
    return { name: DEFAULT_CONTEXT, description, host: defaultHost(cli.choice, cli.env), error: '' }
  } catch (error) {
    return { name: DEFAULT_CONTEXT, description, host: '', error: (error as Error).message }
  }
}

function storedRow(context: ReturnType<typeof listContexts>[number]): Row {
  return { name: context.Name, description: context.Metadata.Description ?? '', host: context.Endpoints.docker?.Host ?? '', error: '' }
}
