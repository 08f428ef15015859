import { isUnauthorized } from '#client'
import type { Cli } from '../../cli.ts'
import { credentialKey, storedAuth } from '../../config/credentials.ts'
import { encodeAuth, registryAuth } from '../../config/registry-auth.ts'
import { promptCredentials } from './prompt-credentials.ts'

/**
 * A request about a registry with the stored credentials; when they are refused the user is asked for others, once, which are not kept. `doing` is
 * the command's name: `Login prior to pull:`.
 */
export async function withLogin<T>(cli: Cli, domain: string, doing: string, request: (auth: string) => Promise<T>): Promise<T> {
  try {
    return await request(registryAuth(cli, domain))
  } catch (error) {
    if (!isUnauthorized(error)) throw error
    const key = credentialKey(domain)
    cli.print(`\nLogin prior to ${doing}:`)
    const { username = '' } = storedAuth(cli, key)
    const auth = await promptCredentials(cli, key, { username: '', password: '', defaultUsername: username })
    return request(encodeAuth(auth))
  }
}
