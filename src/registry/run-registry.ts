import { once } from 'node:events'
import { surviveErrors } from '#lib'
import { commandHelp, groupHelp } from './config/help.ts'
import { loadConfig, type LoadedConfig } from './config/load-config.ts'
import { COMMANDS, type RegistryCommand } from './config/options.ts'
import { parseOptions, type GivenOptions } from './config/parse-options.ts'
import { collectCommand } from './serve/collect-command.ts'
import { createServerLog } from './serve/server-log.ts'
import { serve } from './serve/serve.ts'
import type { RegistryLog } from './types.ts'

const EXIT_FAILURE = 1
/** As docker's of a command line that cannot be understood. */
const EXIT_USAGE = 125

/**
 * `gantry registry …` in the foreground, from its arguments to its exit code. `serve` prints a line on stdout when it is ready, then the access log; its
 * log goes to stderr. It ends after SIGTERM or SIGINT with 0. SIGHUP reads the certificates again.
 */
export async function runRegistry(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const program = `${environment['GANTRY_PROGRAM'] ?? 'gantry'} registry`
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    ;(name === undefined ? process.stderr : process.stdout).write(groupHelp(program))
    return 0
  }
  const command = COMMANDS.find((known) => known.name === name)
  if (command === undefined) {
    process.stderr.write(`${program.split(' ')[0]}: unknown command: ${program} ${name}\n\n${groupHelp(program)}`)
    return EXIT_USAGE
  }
  try {
    const given = parseOptions(command.options, rest, `${program} ${name}`)
    if (given.get('help') === true) {
      process.stdout.write(commandHelp(program, command))
      return 0
    }
    await run(command, given, loadConfig(command.options, given, environment))
    return 0
  } catch (error) {
    process.stderr.write(`${program} ${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    return EXIT_FAILURE
  }
}

async function run(command: RegistryCommand, given: GivenOptions, { config, notes }: LoadedConfig): Promise<void> {
  const log = createServerLog(config.log, (line) => process.stderr.write(line))
  for (const note of notes) log.info(note)
  if (command.name === 'serve') return serveUntilSignal(config, log)
  const wanted = { deleteUntagged: given.get('delete-untagged') === true, dryRun: given.get('dry-run') === true }
  await collectCommand(config, wanted, (line) => process.stdout.write(`${line}\n`))
}

async function serveUntilSignal(config: LoadedConfig['config'], log: RegistryLog): Promise<void> {
  // Listened for first: a signal during the start ends the server, too, once it has started.
  const ended = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  using _errors = surviveErrors((error) => log.error('unexpected error', error))
  await using running = await serve({ config, log, access: (line) => process.stdout.write(line) })
  const reload = (): void => void running.reload()
  process.on('SIGHUP', reload)
  process.stdout.write(`Registry listens on ${running.address}\n`)
  if (running.debugAddress !== undefined) log.info('health and metrics', { address: running.debugAddress })
  await ended
  process.off('SIGHUP', reload)
  log.info('ending')
}
