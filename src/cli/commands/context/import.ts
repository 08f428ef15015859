/** `docker context import`: a context from an archive. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { importContext } from '../../config/context-archive.ts'
import { checkContextName, contextExists } from '../../config/context-store.ts'
import { readInput } from '../read-input.ts'

export const command: Command = defineCommand({
  use: 'import CONTEXT FILE|-',
  short: 'Import a context from a tar or zip file',
  args: exactly(2),
  flags: {},
  async run(cli, { args }) {
    const [name = '', source = ''] = args
    checkContextName(name)
    if (contextExists(cli.configDirectory, name)) throw new Error(`context ${JSON.stringify(name)} already exists`)
    await importContext(cli, name, readInput(source === '-' ? '' : source))
    cli.print(name)
    cli.warn(`Successfully imported context ${JSON.stringify(name)}`)
    return OK
  },
})
