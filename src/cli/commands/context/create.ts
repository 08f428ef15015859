/** `docker context create`: store where an engine is. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { dockerEndpoint, readContextSource } from '../../config/context-edit.ts'
import { checkContextName, contextExists, writeContext } from '../../config/context-store.ts'
import { ENDPOINT_FLAGS, endpointHelp } from './endpoint-flags.ts'

export const command: Command = defineCommand({
  use: 'create [OPTIONS] CONTEXT',
  short: 'Create a context',
  long: endpointHelp('Create a context', 'create'),
  args: exactly(1),
  flags: {
    ...ENDPOINT_FLAGS,
    from: string('create context from a named context'),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    checkContextName(name)
    if (contextExists(cli.configDirectory, name)) throw new Error(`context ${JSON.stringify(name)} already exists`)
    const description = flags.description === '' ? {} : { Description: flags.description }
    // Without any setting the context in force is copied.
    const { endpoint, tls } =
      flags.docker.length > 0 ? dockerEndpoint(cli, flags.docker) : readContextSource(cli, flags.from === '' ? cli.contextName : flags.from)
    writeContext(cli.configDirectory, { Name: name, Metadata: description, Endpoints: { docker: endpoint } }, tls)
    cli.print(name)
    cli.warn(`Successfully created context ${JSON.stringify(name)}`)
    return OK
  },
})
