/** `docker context create`: store where an engine is. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { string, strings } from '../../parser/flag.ts'
import { dockerEndpoint, readContextSource } from '../../config/context-edit.ts'
import { checkContextName, contextExists, writeContext } from '../../config/context-store.ts'

export const command: Command = defineCommand({
  use: 'create [OPTIONS] CONTEXT',
  short: 'Create a context',
  long: `Create a context

Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

$ {program} context create my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"`,
  args: exactly(1),
  flags: {
    description: string('Description of the context'),
    docker: { ...strings('set the docker endpoint', { defaultText: '[]' }), kind: 'stringToString' },
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
