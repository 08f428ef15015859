/** `docker network inspect`: everything the daemon knows about networks. */
import { atLeast, defineCommand, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { inspectAll } from '../inspect-objects.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] NETWORK [NETWORK...]',
  short: 'Display detailed information on one or more networks',
  args: atLeast(1),
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
    verbose: bool('Verbose output for diagnostics', { short: 'v' }),
  },
  async run(cli, { flags, args }) {
    return inspectAll(cli, args, { type: 'network', format: flags.format, verbose: flags.verbose })
  },
})
