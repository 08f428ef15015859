/** `docker events`: what happens in the engine, as it happens. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { systemEvents } from '#client'
import { timeArgument } from '../../opts/time-argument.ts'
import { eventPrinter, readEvents } from '../../format/event-text.ts'

export const command: Command = defineCommand({
  use: 'events [OPTIONS]',
  short: 'Get real time events from the server',
  aliases: ['system events', 'events'],
  args: NO_ARGS,
  flags: {
    filter: filter('Filter output based on conditions provided', { short: 'f' }),
    format: string(INSPECT_FORMAT_HELP),
    since: string('Show all events created since timestamp'),
    until: string('Stream events until this timestamp'),
  },
  async run(cli, { flags }) {
    const print = eventPrinter(flags.format)
    const response = await systemEvents(cli.engine(), {
      ...(flags.since === '' ? {} : { since: timeArgument(flags.since) }),
      ...(flags.until === '' ? {} : { until: timeArgument(flags.until) }),
      filters: flags.filter,
    })
    await readEvents(response.body, (event) => cli.print(print(event)))
    return OK
  },
})
