/** `docker volume create`: make a volume, named or not. */
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { list, string } from '../../parser/flag.ts'
import { createVolume } from '#client'
import { checkLabel, toMap } from '../../opts/key-values.ts'

export const command: Command = defineCommand({
  use: 'create [OPTIONS] [VOLUME]',
  short: 'Create a volume',
  args: between(0, 1),
  flags: {
    driver: string('Specify volume driver name', { short: 'd', initial: 'local' }),
    label: list('Set metadata for a volume', { check: checkLabel }),
    opt: { ...list('Set driver specific options', { short: 'o', defaultText: 'map[]' }), kind: 'map' },
    name: string('Specify volume name', { hidden: true }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    if (name !== '' && flags.name !== '')
      throw new Error('conflicting options: cannot specify a volume-name through both --name and as a positional arg')
    const volume = await createVolume(cli.engine(), {
      Name: name === '' ? flags.name : name,
      Driver: flags.driver,
      DriverOpts: toMap(flags.opt),
      Labels: toMap(flags.label),
    })
    cli.print(volume.Name)
    return OK
  },
})
