/** `docker rename`: give a container another name. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { renameContainer } from '#client'
import { errorText } from '../../errors.ts'

export const command: Command = defineCommand({
  use: 'rename CONTAINER NEW_NAME',
  short: 'Rename a container',
  aliases: ['container rename', 'rename'],
  args: exactly(2),
  flags: {},
  async run(cli, { args }) {
    const [name = '', newName = ''] = args.map((arg) => arg.trim())
    if (name === '' || newName === '') throw new Error('Error: Neither old nor new names may be empty')
    try {
      await renameContainer(cli.engine(), name, newName)
    } catch (error) {
      cli.warn(errorText(error))
      throw new Error(`Error: failed to rename container named ${name}`, { cause: error })
    }
    return OK
  },
})
