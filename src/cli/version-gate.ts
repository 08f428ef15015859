import { compareVersions } from '#client'
import type { Cli } from './cli.ts'
import type { Command } from './command.ts'

/** Throws Error with Docker's text for a command or a given flag that the daemon is too old for. Asks the daemon only when it matters. */
export async function checkVersions(cli: Cli, path: readonly string[], command: Command, changed: ReadonlySet<string>): Promise<void> {
  const gated = [...changed].filter((name) => command.flags[name]?.version !== undefined)
  if (command.version === undefined && gated.length === 0) return
  const version = await cli.engine().version()
  if (command.version !== undefined && compareVersions(version, command.version) < 0) {
    throw new Error(
      `command ${cli.program} ${path.join(' ')} requires API version ${command.version}, but the Docker daemon API version is ${version}`,
    )
  }
  const refused = gated.flatMap((name) => {
    const needed = command.flags[name]?.version ?? ''
    if (compareVersions(version, needed) >= 0) return []
    return [`"--${name}" requires API version ${needed}, but the Docker daemon API version is ${version}`]
  })
  if (refused.length > 0) throw new Error(refused.join('\n'))
}
