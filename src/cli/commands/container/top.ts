/** `docker top`: list the processes of a container. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { topContainer } from '#client'
import { alignTabs } from '../../format/tabwriter.ts'

export const command: Command = defineCommand({
  use: 'top CONTAINER [ps OPTIONS]',
  short: 'Display the running processes of a container',
  aliases: ['container top', 'top'],
  args: atLeast(1),
  interspersed: false,
  flags: {},
  async run(cli, { args }) {
    const [name = '', ...psArgs] = args
    const { Titles, Processes } = await topContainer(cli.engine(), name, psArgs.length === 0 ? undefined : psArgs.join(' '))
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.join('\t')}\n`)
    cli.stdout.write(alignTabs(lines.join(''), { minWidth: 20, padding: 3 }))
    return OK
  },
})
