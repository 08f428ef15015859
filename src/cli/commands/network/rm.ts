/** `docker network rm`: remove networks. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { isNotFound, removeNetwork } from '#client'
import { errorText, ExitError } from '../../errors.ts'

export const command: Command = defineCommand({
  use: 'rm NETWORK [NETWORK...]',
  short: 'Remove one or more networks',
  aliases: ['network rm', 'network remove'],
  args: atLeast(1),
  flags: {
    force: bool('Do not error if the network does not exist', { short: 'f' }),
  },
  async run(cli, { flags, args }) {
    let failed = false
    for (const name of args) {
      try {
        await removeNetwork(cli.engine(), name)
        cli.print(name)
      } catch (error) {
        if (flags.force && isNotFound(error)) continue
        cli.warn(errorText(error))
        failed = true
      }
    }
    if (failed) throw new ExitError(1, 'exit status 1')
    return OK
  },
})
