import type { ConfigFile, ProxyConfig } from './config-file.ts'

const VARIABLES: readonly [keyof ProxyConfig, string][] = [
  ['httpProxy', 'HTTP_PROXY'],
  ['httpsProxy', 'HTTPS_PROXY'],
  ['noProxy', 'NO_PROXY'],
  ['ftpProxy', 'FTP_PROXY'],
  ['allProxy', 'ALL_PROXY'],
]

/**
 * The `-e` values of a container with the proxies of `config.json` put in front, each in capitals and in small letters; what the user
 * sets with `-e` wins. `host` is the daemon's address: `proxies` may have an entry for it beside `default`.
 */
export function withProxyVariables(config: ConfigFile, host: string, env: readonly string[]): string[] {
  const proxies = config.proxies?.[host] ?? config.proxies?.['default']
  if (proxies === undefined) return [...env]
  const given = new Set(env.map((entry) => entry.split('=', 1)[0]))
  const added: string[] = []
  for (const [key, variable] of VARIABLES) {
    const value = proxies[key]
    if (value === undefined || value === '') continue
    for (const name of [variable, variable.toLowerCase()]) if (!given.has(name)) added.push(`${name}=${value}`)
  }
  return [...env, ...added]
}
