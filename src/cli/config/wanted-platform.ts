import type { Cli } from '../cli.ts'

/** `{ platform }` of a flag, or of the environment where the flag is not given; nothing when neither says one. */
export function wantedPlatform(cli: Pick<Cli, 'env'>, flag: string): { platform?: string } {
  const platform = flag === '' ? (cli.env['DOCKER_DEFAULT_PLATFORM'] ?? '') : flag
  return platform === '' ? {} : { platform }
}
