/** `auths` of config.json, as docker judges it. */

const LOGIN = 'types.AuthConfig'
const MEMBERS = ['auth', 'username', 'password', 'identitytoken'] as const

/**
 * A login that cannot be read is said, rather than taken for none: the next one to be stored would replace what the user wrote. Throws Error
 * with the text of Go's decoder, which never shows the value.
 */
export function checkAuths(auths: unknown): void {
  if (!isObject(auths)) throw wrongType(auths, 'ConfigFile.auths', `map[string]${LOGIN}`)
  for (const login of Object.values(auths)) {
    if (login === null) continue
    if (!isObject(login)) throw wrongType(login, 'ConfigFile.auths', LOGIN)
    for (const member of MEMBERS) {
      const value = login[member] ?? ''
      if (typeof value !== 'string') throw wrongType(value, `AuthConfig.auths.${member}`, 'string')
    }
    if (!isUserAndPassword(login['auth'])) throw new Error('Invalid auth configuration file')
  }
}

/** base64 of `user:password`, or nothing. */
function isUserAndPassword(auth: unknown): boolean {
  return typeof auth !== 'string' || auth === '' || Buffer.from(auth, 'base64').toString('utf8').indexOf(':') > 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongType(value: unknown, field: string, type: string): Error {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return new Error(`json: cannot unmarshal ${kind} into Go struct field ${field} of type ${type}`)
}
