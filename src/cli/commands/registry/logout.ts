/** `docker logout`: log out from a registry. */
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { eraseCredentials, hostnameOf, HUB_KEY } from '../../config/credentials.ts'

export const command: Command = defineCommand({
  use: 'logout [SERVER]',
  short: 'Log out from a registry',
  long: `Log out from a registry.
If no server is specified, the default is defined by the daemon.`,
  args: between(0, 1),
  flags: {},
  async run(cli, { args }) {
    const [server = ''] = args
    const hostname = server === '' ? HUB_KEY : hostnameOf(server)
    // Older clients have filed logins under URLs.
    const keys = server === '' ? [HUB_KEY] : [server, hostname, `http://${hostname}`, `https://${hostname}`]
    cli.print(`Removing login credentials for ${hostname}`)
    const failures = keys.flatMap((key) => {
      try {
        eraseCredentials(cli, key)
        return []
      } catch (error) {
        return [`${key}: ${(error as Error).message}`]
      }
    })
    if (failures.length === keys.length) {
      cli.warn('WARNING: could not erase credentials:')
      for (const failure of new Set(failures)) cli.warn(failure)
    }
    return OK
  },
})
