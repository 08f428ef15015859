/** `docker context use`: choose the context for commands to come. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { DEFAULT_CONTEXT, readContext } from '../../config/context-store.ts'
import { updateConfigFile } from '../../config/update-config-file.ts'

export const command: Command = defineCommand({
  use: 'use CONTEXT',
  short: 'Set the current docker context',
  args: exactly(1),
  flags: {},
  async run(cli, { args }) {
    const [name = ''] = args
    if (name !== DEFAULT_CONTEXT) readContext(cli.configDirectory, name)
    updateConfigFile(cli.configDirectory, (config) => {
      if (name === DEFAULT_CONTEXT) delete config.currentContext
      else config.currentContext = name
    })
    cli.print(name)
    cli.warn(`Current context is now ${JSON.stringify(name)}`)
    if (name !== DEFAULT_CONTEXT && (cli.env['DOCKER_HOST'] ?? '') !== '') {
      cli.warn(
        `Warning: DOCKER_HOST environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset DOCKER_HOST environment variable.`,
      )
    }
    return OK
  },
})
