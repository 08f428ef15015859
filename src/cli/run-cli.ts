import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { createCli, type Cli } from './cli.ts'
import type { Command } from './command.ts'
import { findCommand, type Found } from './command-tree.ts'
import { checkVersions } from './version-gate.ts'
import { ROOT_COMMANDS } from './commands/table.ts'
import { errorText, ExitError } from './errors.ts'
import { globalFlags, type GlobalFlags } from './global-flags.ts'
import { commandHelp, usageLine } from './help.ts'
import { FlagError, parseFlags, type ParsedFlags } from './parser/parse-flags.ts'
import { showGroup, showHelpTopic, showRootHelp, terminalColumns } from './show-help.ts'
import { BrokenPipeError } from './terminal/output.ts'
import { CLI_VERSION } from './version.ts'

/** Status of a process that SIGPIPE ended, as a shell shows it. */
const BROKEN_PIPE_STATUS = 141
const FLAG_ERROR_STATUS = 125
const FAILURE = 1

/** Names that docker's logger knows. Ours writes nothing below an error, so the level decides nothing but whether it is one. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic']

/**
 * The command line, from `process.argv` to the exit status. Writes to the standard streams; does not exit.
 *
 * The program's name is taken from `GANTRY_PROGRAM` (set by the start script, which knows by what link it was called) or from `argv[1]`:
 * called as `docker` we speak of `docker` in help and errors.
 */
export async function runCli(argv: readonly string[]): Promise<number> {
  const program = programName(argv)
  const args = argv.slice(2)
  const { env } = process
  const defaultDirectory = env['DOCKER_CONFIG'] ?? join(homedir(), '.docker')
  let cli: Cli | undefined
  try {
    const globals = parseFlags(globalFlags(defaultDirectory), args, { interspersed: false })
    cli = createCli({ program, env, ...surroundings(globals, env, args) })
    return await dispatch(cli, globals)
  } catch (error) {
    return report(program, cli, error)
  } finally {
    cli?.close()
  }
}

function programName(argv: readonly string[]): string {
  const named = process.env['GANTRY_PROGRAM'] ?? basename(argv[1] ?? '').replace(/\.[cm]?[jt]s$/, '')
  return named === '' || named === 'main' ? 'gantry' : named
}

function surroundings(
  globals: ParsedFlags<GlobalFlags>,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): {
  debug: boolean
  configDirectory: string
  choice: Cli['choice']
  globalArgs: readonly string[]
} {
  const { values, changed } = globals
  const certificates = env['DOCKER_CERT_PATH'] ?? ''
  const certificate = (flag: 'tlscacert' | 'tlscert' | 'tlskey', file: string): string => {
    if (changed.has(flag)) return values[flag]
    return join(certificates === '' ? values.config : certificates, file)
  }
  const tlsVerify = changed.has('tlsverify') ? values.tlsverify : (env['DOCKER_TLS_VERIFY'] ?? '') !== ''
  return {
    debug: values.debug,
    configDirectory: values.config,
    choice: {
      hosts: values.host,
      context: values.context,
      tls: values.tls || (env['DOCKER_TLS'] ?? '') !== '',
      tlsVerify,
      tlsCa: certificate('tlscacert', 'ca.pem'),
      tlsCert: certificate('tlscert', 'cert.pem'),
      tlsKey: certificate('tlskey', 'key.pem'),
      tlsPathsGiven: changed.has('tlscacert') || changed.has('tlscert') || changed.has('tlskey'),
    },
    globalArgs: args.slice(0, args.length - globals.args.length),
  }
}

async function dispatch(cli: Cli, globals: ParsedFlags<GlobalFlags>): Promise<number> {
  const { args } = globals
  if (globals.help === 'short') cli.print('Flag shorthand -h has been deprecated, use --help')
  if (globals.help !== false || (args.length === 0 && !globals.values.version)) return showRootHelp(cli)
  if (globals.values.version) {
    cli.print(`${cli.program === 'docker' ? 'Docker' : 'Gantry'} version ${CLI_VERSION}, build gantry`)
    return 0
  }
  if (globals.values.host.length > 0 && globals.values.context !== '') {
    throw new Error('conflicting options: cannot specify both --host and --context')
  }
  const level = globals.values['log-level']
  if (!LOG_LEVELS.includes(level.toLowerCase())) throw new Error(`Unable to parse logging level: ${level}`)
  if (args[0] === 'help') return showHelpTopic(cli, args.slice(1))
  const found = findCommand(ROOT_COMMANDS, args)
  if (found === undefined) return runPluginOrFail(cli, args)
  if (found.node.load === undefined) return showGroup(cli, found)
  return runCommand(cli, found, (await found.node.load()).command)
}

async function runCommand(cli: Cli, found: Found, command: Command): Promise<number> {
  let parsed
  try {
    parsed = parseFlags(command.flags, found.rest, { interspersed: command.interspersed !== false })
  } catch (error) {
    throw error instanceof FlagError ? new FlagError(flagErrorText(cli, error, found.path, command)) : error
  }
  for (const notice of parsed.notices) cli.warn(notice)
  if (parsed.help !== false) {
    if (parsed.help === 'short') cli.print('Flag shorthand -h has been deprecated, use --help')
    cli.stdout.write(commandHelp(cli.program, found.path, command, terminalColumns()))
    return 0
  }
  checkArgumentCount(cli, found.path, command, parsed.args.length)
  await checkVersions(cli, found.path, command, parsed.changed)
  return command.run(cli, { flags: parsed.values, changed: parsed.changed, args: parsed.args })
}

/** Docker's sentences, which differ for commands with and without an upper limit. */
function checkArgumentCount(cli: Cli, path: string[], command: Command, count: number): void {
  const { min, max } = command.args
  if (count >= min && (max === undefined || count <= max)) return
  const name = [cli.program, ...path].join(' ')
  const plural = (limit: number): string => `${limit} argument${limit === 1 ? '' : 's'}`
  let demand: string
  if (max === 0) demand = 'accepts no arguments'
  else if (max === undefined) demand = `requires at least ${plural(min)}`
  else if (min === max) demand = `requires ${plural(min)}`
  else if (min === 0) demand = `requires at most ${plural(max)}`
  else demand = `requires at least ${min} and at most ${plural(max)}`
  const hint = max === undefined ? 'See' : 'Run'
  throw new Error(
    `${cli.program}: '${name}' ${demand}\n\nUsage:  ${usageLine(cli.program, path, command)}\n\n${hint} '${name} --help' for more information`,
  )
}

function flagErrorText(cli: Cli, error: FlagError, path: string[], command: Command): string {
  return `${error.message}\n\nUsage:  ${usageLine(cli.program, path, command)}\n\nRun '${[cli.program, ...path].join(' ')} --help' for more information`
}

async function runPluginOrFail(cli: Cli, args: readonly string[]): Promise<number> {
  const { runPlugin } = await import('./plugins/run-plugin.ts')
  const status = await runPlugin(cli, args)
  if (status !== undefined) return status
  if (args.includes('--help')) return showRootHelp(cli)
  throw new Error(`${cli.program}: unknown command: ${cli.program} ${args[0]}\n\nRun '${cli.program} --help' for more information`)
}

function report(program: string, cli: Cli | undefined, error: unknown): number {
  if (error instanceof BrokenPipeError) return BROKEN_PIPE_STATUS
  const complain = (text: string): void => {
    if (text === '') return
    if (cli === undefined) process.stderr.write(`${text}\n`)
    else cli.warn(text)
  }
  if (error instanceof FlagError) {
    // A mistake in the global flags is found before there is a command that could add its usage.
    const usage = `\n\nUsage:  ${program} [OPTIONS] COMMAND [ARG...]\n\nRun '${program} --help' for more information`
    complain(error.message.includes('\n\nUsage:') ? error.message : `${error.message}${usage}`)
    return FLAG_ERROR_STATUS
  }
  complain(errorText(error))
  if (cli?.debug === true && error instanceof Error && error.stack !== undefined) complain(error.stack)
  return error instanceof ExitError ? error.status : FAILURE
}
