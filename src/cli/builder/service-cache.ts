import { isGoTrue } from '#lib'
import type { CacheOption } from './cache-options.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * A cache of a service, with what the environment says of it where the user says nothing: the addresses and the token of a job of GitHub's, the login of AWS.
 * undefined: outside of such a job there is no such cache, which is passed over without a word. As buildx does it (util/buildflags/cache.go); of AWS's
 * configuration this takes the variables only.
 */
export function withEnvironment(option: CacheOption, env: Environment): CacheOption | undefined {
  if (option.type === 'gha') return ofJob(option, env)
  if (option.type === 's3') return withLogin(option, env)
  return option
}

function ofJob({ attributes, ...option }: CacheOption, env: Environment): CacheOption | undefined {
  const version = attributes['version'] ?? (isGoTrue(env['ACTIONS_CACHE_SERVICE_V2']) ? '2' : undefined)
  const completed = withDefaults(attributes, {
    token: env['ACTIONS_RUNTIME_TOKEN'],
    url_v2: version === '2' ? env['ACTIONS_RESULTS_URL'] : undefined,
    url: env['ACTIONS_CACHE_URL'] ?? env['ACTIONS_RESULTS_URL'],
  })
  const hasPlace = Boolean(completed['url']) || Boolean(completed['url_v2'])
  return Boolean(completed['token']) && hasPlace ? { ...option, attributes: completed } : undefined
}

/** A token belongs to its keys: with keys that the user names, only one that he names. */
function withLogin({ attributes, ...option }: CacheOption, env: Environment): CacheOption {
  if (attributes['access_key_id'] !== undefined && attributes['secret_access_key'] !== undefined) return { ...option, attributes }
  const login = {
    access_key_id: env['AWS_ACCESS_KEY_ID'],
    secret_access_key: env['AWS_SECRET_ACCESS_KEY'],
    session_token: env['AWS_SESSION_TOKEN'],
  }
  return { ...option, attributes: withDefaults(attributes, login) }
}

function withDefaults(attributes: Readonly<Record<string, string>>, defaults: Environment): Record<string, string> {
  const known = Object.entries(defaults).filter((entry): entry is [string, string] => Boolean(entry[1]))
  return { ...Object.fromEntries(known), ...attributes }
}
