/** `docker wait`: wait for containers to end, print their statuses. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { waitContainer } from '#client'
import { errorText } from '../../errors.ts'

export const command: Command = defineCommand({
  use: 'wait CONTAINER [CONTAINER...]',
  short: 'Block until one or more containers stop, then print their exit codes',
  aliases: ['container wait', 'wait'],
  args: atLeast(1),
  flags: {},
  async run(cli, { args }) {
    const engine = cli.engine()
    const failures: string[] = []
    for (const name of args) {
      try {
        const { exit } = await waitContainer(engine, name)
        cli.print(String((await exit).StatusCode))
      } catch (error) {
        failures.push(errorText(error))
      }
    }
    if (failures.length > 0) throw new Error(failures.join('\n'))
    return OK
  },
})
