import { spawnSync } from 'node:child_process'
import type { AuthConfig } from './config-file.ts'

/** User name under which helpers file identity tokens. */
const TOKEN_USER = '<token>'
const NOT_FOUND = 'credentials not found in native keychain'
const TIMEOUT = 30_000

/** One of the programs `docker-credential-<name>`. Methods throw Error with Docker's text when it cannot be run or fails. */
export interface CredentialHelper {
  /** Undefined: it has none for this server. */
  get(server: string): AuthConfig | undefined
  store(server: string, auth: AuthConfig): void
  erase(server: string): void
}

/** Protocol: one verb as argument, JSON or the server's name on standard input, JSON on standard output. Source: docker-credential-helpers. */
export function credentialHelper(name: string, env: Readonly<Record<string, string | undefined>>): CredentialHelper {
  const program = `docker-credential-${name}`

  function call(verb: 'get' | 'store' | 'erase', input: string, doing: string): { output: string; failed: string | undefined } {
    const { stdout, status, error } = spawnSync(program, [verb], {
      input,
      encoding: 'utf8',
      env,
      timeout: TIMEOUT,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const output = (stdout ?? '').trim()
    // One that knows the answer need not read the question (EPIPE).
    if (status === 0) return { output, failed: undefined }
    return { output, failed: `error ${doing} credentials - err: ${failureText(program, error, status)}, out: \`${output}\`` }
  }

  function change(verb: 'store' | 'erase', input: string, doing: string): void {
    const { failed } = call(verb, input, doing)
    if (failed !== undefined) throw new Error(failed)
  }

  return {
    get(server) {
      const { output, failed } = call('get', server, 'getting')
      if (failed !== undefined) {
        if (output === NOT_FOUND) return undefined
        throw new Error(failed)
      }
      const { Username = '', Secret = '' } = JSON.parse(output) as { Username?: string; Secret?: string }
      return Username === TOKEN_USER ? { identitytoken: Secret } : { username: Username, password: Secret }
    },
    store(server, { username = '', password = '', identitytoken = '' }) {
      const [user, secret] = identitytoken === '' ? [username, password] : [TOKEN_USER, identitytoken]
      change('store', `${JSON.stringify({ ServerURL: server, Username: user, Secret: secret })}\n`, 'storing')
    },
    erase: (server) => change('erase', server, 'erasing'),
  }
}

function failureText(program: string, error: Error | undefined, status: number | null): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOENT') return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`
  return error?.message ?? `exit status ${status}`
}
