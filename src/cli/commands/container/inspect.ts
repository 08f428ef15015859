/** `docker container inspect`: everything the daemon knows about containers. */
import { atLeast, defineCommand, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { inspectAll } from '../inspect-objects.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Display detailed information on one or more containers',
  args: atLeast(1),
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
    size: bool('Display total file sizes', { short: 's' }),
  },
  async run(cli, { flags, args }) {
    return inspectAll(cli, args, { type: 'container', format: flags.format, size: flags.size })
  },
})
