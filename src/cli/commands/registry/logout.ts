/** `docker logout`: log out from a registry. */
import { between, defineCommand, type Command } from '../../command.ts'

export const command: Command = defineCommand({
  use: 'logout [SERVER]',
  short: 'Log out from a registry',
  long: `Log out from a registry.
If no server is specified, the default is defined by the daemon.`,
  args: between(0, 1),
  flags: {},
  async run() {
    throw new Error('logout is not supported yet: it comes with the registry client')
  },
})
