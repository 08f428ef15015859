/** `docker ps`: list containers. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool, int, string } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { listContainers } from '#client'
import { chooseFormat, compileFormat, formatList } from '../../format/format-list.ts'
import { CONTAINER_LIST, containerView } from '../../format/container-view.ts'

export const command: Command = defineCommand({
  use: 'ps [OPTIONS]',
  short: 'List containers',
  aliases: ['container ls', 'container list', 'container ps', 'ps'],
  args: NO_ARGS,
  flags: {
    all: bool('Show all containers (default shows just running)', { short: 'a' }),
    filter: filter('Filter output based on conditions provided', { short: 'f' }),
    format: string(LIST_FORMAT_HELP),
    last: int('Show n last created containers (includes all states)', { short: 'n', initial: -1 }),
    latest: bool('Show the latest created container (includes all states)', { short: 'l' }),
    'no-trunc': bool("Don't truncate output"),
    quiet: bool('Only display container IDs', { short: 'q' }),
    size: bool('Display total file sizes', { short: 's' }),
  },
  async run(cli, { flags, changed }) {
    if (flags.quiet && flags.format !== '') cli.warn('WARNING: Ignoring custom format, because both --format and --quiet are set.')
    const format = flags.quiet
      ? QUIET
      : rawFormat(chooseFormat(flags.format, cli.config.psFormat, CONTAINER_LIST.table + (flags.size ? '\t{{.Size}}' : '')), flags.size)
    inOtherWords('failed to parse template', () => compileFormat(format))
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last
    const containers = await listContainers(cli.engine(), {
      all: flags.all || flags.latest || changed.has('last'),
      ...(limit > 0 ? { limit } : {}),
      // Sizes cost the daemon a walk through the file system: asked for only when the format shows them.
      size: flags.size || (!flags.quiet && /\{\{[^}]*(?:\.Size\b|json \.\s*\})/.test(format)),
      filters: flags.filter,
    })
    const now = Date.now()
    const rows = containers.map((container) => containerView(container, { truncate: !flags['no-trunc'], now }))
    cli.stdout.write(inOtherWords('failed to execute template', () => formatList(format, rows, CONTAINER_LIST.headers)))
    return OK
  },
})

/** Docker tries a format of `ps` out before it asks the daemon, and has other words for what is wrong with it. */
function inOtherWords<T>(words: string, format: () => T): T {
  try {
    return format()
  } catch (error) {
    throw new Error((error as Error).message.replace(/^template parsing error:/, `${words}:`), { cause: error })
  }
}

const QUIET = '{{.ID}}'

/** `raw`: one `key: value` a line. */
function rawFormat(format: string, size: boolean): string {
  if (format !== 'raw') return format
  const lines = [
    'container_id: {{.ID}}',
    'image: {{.Image}}',
    'command: {{.Command}}',
    'created_at: {{.CreatedAt}}',
    'state: {{- pad .State 1 0}}',
    'status: {{- pad .Status 1 0}}',
    'names: {{.Names}}',
    'labels: {{- pad .Labels 1 0}}',
    'ports: {{- pad .Ports 1 0}}',
    ...(size ? ['size: {{.Size}}'] : []),
  ]
  return `${lines.join('\n')}\n`
}
