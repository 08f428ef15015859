import type { Cli } from '../../cli.ts'
import type { AuthConfig } from '../../config/config-file.ts'
import { HUB_KEY } from '../../config/credentials.ts'
import { printNote } from '../../terminal/note.ts'
import { ask, askSecret } from '../../terminal/prompt.ts'

const REGISTER_HINT =
  "Log in with your Docker ID or email address to push and pull images from Docker Hub. If you don't have a Docker ID, head over to https://hub.docker.com/ to create one."
const TOKEN_HINT =
  'You can log in with your password or a Personal Access Token (PAT). Using a limited-scope PAT grants better security and is required for organizations using SSO. Learn more at https://docs.docker.com/go/access-tokens/\n'

/** What is known of a login; empty: ask. */
export interface PartialLogin {
  username: string
  password: string
  /** Proposed when the user only presses Enter. */
  defaultUsername: string
}

/** Asks for what is missing. Throws Error with Docker's text when nothing is answered, or there is nobody to ask. */
export async function promptCredentials(cli: Cli, serveraddress: string, known: PartialLogin): Promise<AuthConfig> {
  const isHub = serveraddress === HUB_KEY
  const username = known.username.trim() || (await askUsername(cli, isHub, known.defaultUsername.trim()))
  let { password } = known
  if (password.trim() === '') {
    if (isHub && process.stdin.isTTY) {
      const settings = 'https://app.docker.com/settings'
      printNote(
        cli.stderr,
        `A Personal Access Token (PAT) can be used instead.\nTo create a PAT, visit ${cli.stderr.isTerminal ? `\x1b[4m${settings}\x1b[0m` : settings}\n\n`,
      )
    }
    password = await askSecret(cli.stdout, 'Password: ')
    if (password === '') throw new Error('Error: Password Required')
  }
  return { username, password, serveraddress }
}

async function askUsername(cli: Cli, isHub: boolean, proposed: string): Promise<string> {
  if (isHub) {
    cli.print(REGISTER_HINT)
    if (cli.env['DOCKER_CLI_HINTS'] !== 'false') cli.print(TOKEN_HINT)
  }
  const answer = await ask(cli.stdout, proposed === '' ? 'Username: ' : `Username (${proposed}): `)
  const username = answer === '' ? proposed : answer
  if (username === '') throw new Error('Error: Non-null Username Required')
  return username
}
