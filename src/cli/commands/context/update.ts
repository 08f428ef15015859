/** `docker context update`: change what is stored about an engine. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { dockerEndpoint } from '../../config/context-edit.ts'
import { checkContextName, readContext, writeContext } from '../../config/context-store.ts'
import { ENDPOINT_FLAGS, endpointHelp } from './endpoint-flags.ts'

export const command: Command = defineCommand({
  use: 'update [OPTIONS] CONTEXT',
  short: 'Update a context',
  long: endpointHelp('Update a context', 'update'),
  args: exactly(1),
  flags: ENDPOINT_FLAGS,
  async run(cli, { flags, args }) {
    const [name = ''] = args
    checkContextName(name)
    const context = readContext(cli.configDirectory, name)
    if (flags.description !== '') context.Metadata.Description = flags.description
    let tls
    if (flags.docker.length > 0) {
      const source = dockerEndpoint(cli, flags.docker)
      context.Endpoints.docker = source.endpoint
      tls = source.tls
    }
    writeContext(cli.configDirectory, context, tls)
    cli.print(name)
    cli.warn(`Successfully updated context ${JSON.stringify(name)}`)
    return OK
  },
})
