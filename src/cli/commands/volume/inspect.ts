/** `docker volume inspect`: everything the daemon knows about volumes. */
import { atLeast, defineCommand, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { inspectAll } from '../inspect-objects.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] VOLUME [VOLUME...]',
  short: 'Display detailed information on one or more volumes',
  args: atLeast(1),
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
  },
  async run(cli, { flags, args }) {
    return inspectAll(cli, args, { type: 'volume', format: flags.format })
  },
})
