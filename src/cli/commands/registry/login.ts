/** `docker login`: log in to a registry. */
import { between, defineCommand, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'

export const command: Command = defineCommand({
  use: 'login [OPTIONS] [SERVER]',
  short: 'Authenticate to a registry',
  long: `Authenticate to a registry.
Defaults to Docker Hub if no server is specified.`,
  args: between(0, 1),
  flags: {
    password: string('Password or Personal Access Token (PAT)', { short: 'p' }),
    'password-stdin': bool('Take the Password or Personal Access Token (PAT) from stdin'),
    username: string('Username', { short: 'u' }),
  },
  async run() {
    throw new Error('login is not supported yet: it comes with the registry client')
  },
})
