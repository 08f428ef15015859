/** `docker network connect`: attach a container to another network. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { int, list, string, strings } from '../../parser/flag.ts'
import { connectNetwork } from '#client'
import { checkLink } from '../../opts/addresses.ts'

export const command: Command = defineCommand({
  use: 'connect [OPTIONS] NETWORK CONTAINER',
  short: 'Connect a container to a network',
  args: exactly(2),
  flags: {
    alias: strings('Add network-scoped alias for the container'),
    'driver-opt': strings('driver options for the network', { version: '1.32' }),
    'gw-priority': int('Highest gw-priority provides the default gateway. Accepts positive and negative values.', { version: '1.48' }),
    ip: string('IPv4 address (e.g., "172.30.100.104")'),
    ip6: string('IPv6 address (e.g., "2001:db8::33")'),
    link: list('Add link to another container', { check: checkLink }),
    'link-local-ip': strings('Add a link-local address for the container'),
  },
  async run(cli, { flags, args }) {
    const [name = '', container = ''] = args
    const hasAddress = flags.ip !== '' || flags.ip6 !== '' || flags['link-local-ip'].length > 0
    await connectNetwork(cli.engine(), name, {
      Container: container,
      EndpointConfig: {
        IPAMConfig: hasAddress
          ? {
              ...(flags.ip === '' ? {} : { IPv4Address: flags.ip }),
              ...(flags.ip6 === '' ? {} : { IPv6Address: flags.ip6 }),
              ...(flags['link-local-ip'].length === 0 ? {} : { LinkLocalIPs: flags['link-local-ip'] }),
            }
          : null,
        Links: flags.link,
        Aliases: flags.alias,
        DriverOpts: driverOptions(flags['driver-opt']),
        GwPriority: flags['gw-priority'],
      },
    })
    return OK
  },
})

/** `key=value`; white space around either counts for nothing. Throws Error with Docker's text. */
function driverOptions(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((option) => {
      const [key = '', value] = option.split(/=(.*)/s).map((part) => part.trim())
      if (key === '' || value === undefined) throw new Error('invalid key/value pair format in driver options')
      return [key, value]
    }),
  )
}
