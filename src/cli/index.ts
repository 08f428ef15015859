/**
 * The command line: Docker's commands, flags, output and exit codes, against any engine that speaks its API.
 *
 * Purpose: everything between `process.argv` and the calls of `#client`. It reaches the engine through HTTP and nothing else, so it works
 * against Docker's daemon as Docker's CLI works against ours.
 *
 * Lifecycle of a call: `run-cli.ts` parses the global flags, finds the command in the table (`commands/table.ts`), loads its file, parses its
 * flags, and runs it with a {@link Cli}; errors become text and a status at one place. Nothing is loaded that the command does not need:
 * the whole start is a promised number (`SPECIFICATION.md`).
 *
 * Parts: `commands/<noun>/<verb>.ts` one command each, as data; `parser/` flags as pflag reads them; `opts/` the small languages inside flags
 * (`-p`, `--mount`); `format/` Go templates, tables, the rows of lists; `terminal/` raw mode, signals, progress; `config/` configuration,
 * contexts, credentials; `plugins/` programs named `docker-<name>`.
 *
 * Glossary: a *command* is an entry with flags and `run`; a *view* is a row of a list with Docker's field names; a *session* is our terminal
 * connected with a container; the *program* is the name we were called by, which stands in all texts.
 *
 * Example, the smallest command:
 * ```ts
 * export const command: Command = defineCommand({
 *   use: 'pause CONTAINER [CONTAINER...]', short: 'Pause all processes within one or more containers', args: atLeast(1), flags: {},
 *   async run(cli, { args }) { await forEachName(cli, args, (name) => pauseContainer(cli.engine(), name)); return OK },
 * })
 * ```
 */
export { runCli } from './run-cli.ts'
export type { Cli } from './cli.ts'
export { OK, defineCommand, type Command, type Invocation } from './command.ts'
