import { string, strings, type Flag } from '../../parser/flag.ts'

/** What `context create` and `context update` set. */
export const ENDPOINT_FLAGS: { description: Flag<string>; docker: Flag<string[]> } = {
  description: string('Description of the context'),
  docker: { ...strings('set the docker endpoint', { defaultText: '[]' }), kind: 'stringToString' },
}

/** Their help. */
export function endpointHelp(title: string, verb: string): string {
  return `${title}

Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

$ {program} context ${verb} my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"`
}
