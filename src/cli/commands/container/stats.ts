/** `docker stats`: what containers use, live. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { errorText } from '../../errors.ts'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { STATS_LIST, statsView } from '../../format/stats-view.ts'
import { StatsCollector } from './stats-collector.ts'

export const command: Command = defineCommand({
  use: 'stats [OPTIONS] [CONTAINER...]',
  short: 'Display a live stream of container(s) resource usage statistics',
  aliases: ['container stats', 'stats'],
  args: atLeast(0),
  flags: {
    all: bool('Show all containers (default shows just running)', { short: 'a' }),
    format: string(LIST_FORMAT_HELP),
    'no-stream': bool('Disable streaming stats and only pull the first result'),
    'no-trunc': bool('Do not truncate output'),
  },
  async run(cli, { flags, args }) {
    const format = chooseFormat(flags.format, cli.config.statsFormat, STATS_LIST.table)
    const collector = new StatsCollector(cli.engine(), { stream: !flags['no-stream'] })
    using cleanup = new DisposableStack()
    cleanup.defer(() => collector.close())
    const showAll = args.length === 0
    if (showAll) await collector.follow(flags.all)
    else for (const name of args) collector.watch(name)
    await collector.ready()
    if (!showAll && collector.errors.length > 0) throw new Error(collector.errors.map(errorText).join('\n'))
    const render = (): string =>
      formatList(
        format,
        collector.rows.map(({ name, sample }) => statsView(name, sample, !flags['no-trunc'])),
        STATS_LIST.headers,
      )
    if (flags['no-stream']) {
      if (collector.rows.length > 0) cli.stdout.write(render())
      return OK
    }
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, REFRESH))
      const screen = render()
        .split('\n')
        .map((line) => `${line} ${CLEAR_LINE}\n`)
        .join('')
      cli.stdout.write(`${HOME}${screen}${CLEAR_BELOW}`)
      if (!showAll && collector.rows.length === 0) return OK
    }
  },
})

const REFRESH = 500
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
