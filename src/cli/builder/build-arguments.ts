import type { Cli } from '../cli.ts'
import { withProxyVariables } from '../config/environment-proxies.ts'
import { checkEnv } from '../opts/key-values.ts'

const EPOCH = 'SOURCE_DATE_EPOCH'

/**
 * `--build-arg` values as `KEY=value`: those without a value take that of our environment, or are left out. Proxies of the configuration come behind them, and
 * SOURCE_DATE_EPOCH of the environment (reproducible-builds.org), as with buildx.
 */
export function buildArguments(cli: Pick<Cli, 'config' | 'contextName' | 'env'>, values: readonly string[]): string[] {
  const { config, contextName, env } = cli
  const given = values.map((value) => checkEnv(value, env)).filter((arg) => arg.includes('='))
  const epoch = env[EPOCH] ?? ''
  const hasEpoch = epoch === '' || given.some((arg) => arg.startsWith(`${EPOCH}=`))
  const host = contextName === 'default' ? (env['DOCKER_HOST'] ?? '') : contextName
  return withProxyVariables(config, host, hasEpoch ? given : [...given, `${EPOCH}=${epoch}`])
}

/** `--cache-to` that arguments stand for: `BUILDKIT_INLINE_CACHE=1` is an older name of `type=inline`. */
export function cacheOfArguments(args: readonly string[]): string[] {
  return args.some((arg) => /^BUILDKIT_INLINE_CACHE=(1|t|true)$/i.test(arg)) ? ['type=inline'] : []
}
