/** `docker context update`: change what is stored about an engine. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { string, strings } from '../../parser/flag.ts'
import { dockerEndpoint } from '../../config/context-edit.ts'
import { checkContextName, readContext, writeContext } from '../../config/context-store.ts'

export const command: Command = defineCommand({
  use: 'update [OPTIONS] CONTEXT',
  short: 'Update a context',
  long: `Update a context

Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

$ {program} context update my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"`,
  args: exactly(1),
  flags: {
    description: string('Description of the context'),
    docker: { ...strings('set the docker endpoint', { defaultText: '[]' }), kind: 'stringToString' },
  },
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
