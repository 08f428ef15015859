/** `docker context show`: the name of the context in force. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'

export const command: Command = defineCommand({
  use: 'show',
  short: 'Print the name of the current context',
  args: NO_ARGS,
  flags: {},
  async run(cli) {
    cli.print(cli.contextName)
    return OK
  },
})
