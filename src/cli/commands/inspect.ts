/** `docker inspect`: everything the daemon knows about objects of any kind. */
import { atLeast, defineCommand, type Command } from '../command.ts'
import { bool, string } from '../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../format/format-help.ts'
import { inspectAll, type ObjectType } from './inspect-objects.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] NAME|ID [NAME|ID...]',
  short: 'Return low-level information on Docker objects',
  args: atLeast(1),
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
    size: bool('Display total file sizes if the type is container', { short: 's' }),
    type: string('Only inspect objects of the given type'),
  },
  async run(cli, { flags, changed, args }) {
    const known = ['container', 'image', 'network', 'volume']
    if (['config', 'node', 'plugin', 'secret', 'service', 'task'].includes(flags.type))
      throw new Error(`inspecting objects of type ${flags.type} is not supported`)
    if (changed.has('type') && flags.type === '')
      throw new Error(
        'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"',
      )
    if (flags.type !== '' && !known.includes(flags.type)) {
      throw new Error(
        `unknown type: ${JSON.stringify(flags.type)}: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"`,
      )
    }
    return inspectAll(cli, args, {
      format: flags.format,
      size: flags.size,
      ...(flags.type === '' ? {} : { type: flags.type as ObjectType }),
    })
  },
})
