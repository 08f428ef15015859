/** `docker export`: the file system of a container as a tar archive. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { exportContainer } from '#client'
import { saveToFile } from '../save-to-file.ts'

export const command: Command = defineCommand({
  use: 'export [OPTIONS] CONTAINER',
  short: "Export a container's filesystem as a tar archive",
  aliases: ['container export', 'export'],
  args: exactly(1),
  flags: {
    output: string('Write to a file, instead of STDOUT', { short: 'o' }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    if (flags.output === '' && cli.stdout.isTerminal)
      throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect')
    await saveToFile(cli, flags.output, 'failed to export container', async () => (await exportContainer(cli.engine(), name)).body)
    return OK
  },
})
