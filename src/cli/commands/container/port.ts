/** `docker port`: list published ports. */
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { inspectContainer } from '#client'
import { naturalCompare } from '../../format/text.ts'
import type { PortBinding } from '#api'

export const command: Command = defineCommand({
  use: 'port CONTAINER [PRIVATE_PORT[/PROTO]]',
  short: 'List port mappings or a specific mapping for the container',
  aliases: ['container port', 'port'],
  args: between(1, 2),
  flags: {},
  async run(cli, { args }) {
    const [name = '', port] = args
    const ports = (await inspectContainer(cli.engine(), name)).NetworkSettings.Ports ?? {}
    if (port !== undefined) {
      const [number = '', protocol = 'tcp'] = port.split(/\/(.*)/s)
      if (!/^\d+$/.test(number))
        throw new Error(`Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: invalid syntax`)
      const bindings = ports[`${number}/${protocol}`]
      if (bindings === undefined || bindings === null) throw new Error(`Error: No public port '${port}' published for ${name}`)
      cli.stdout.write(lines(bindings.map(address)))
      return OK
    }
    const all = Object.entries(ports).flatMap(([from, bindings]) => (bindings ?? []).map((binding) => `${from} -> ${address(binding)}`))
    cli.stdout.write(lines(all))
    return OK
  },
})

function lines(items: string[]): string {
  return items
    .sort(naturalCompare)
    .map((item) => `${item}\n`)
    .join('')
}

function address({ HostIp, HostPort }: PortBinding): string {
  return `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`
}
