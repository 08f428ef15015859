/** `docker context inspect`: everything stored about contexts. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { contextDetails } from '../../config/context-edit.ts'
import { escapeHtml } from '../../format/template/values.ts'
import { printInspected } from '../../format/inspect.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] [CONTEXT] [CONTEXT...]',
  short: 'Display detailed information on one or more contexts',
  args: atLeast(0),
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
  },
  async run(cli, { flags, args }) {
    const names = args.length === 0 ? [cli.contextName] : args
    const results = names.map((name) => {
      try {
        return { text: escapeHtml(JSON.stringify(contextDetails(cli, name))) }
      } catch (error) {
        return { error: (error as Error).message }
      }
    })
    const status = printInspected(cli, flags.format, results)
    return status === OK ? OK : status
  },
})
