/** `docker context rm`: forget contexts. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool } from '../../parser/flag.ts'
import { checkContextRemoval } from '../../config/context-edit.ts'
import { contextExists, removeContext } from '../../config/context-store.ts'

export const command: Command = defineCommand({
  use: 'rm CONTEXT [CONTEXT...]',
  short: 'Remove one or more contexts',
  aliases: ['context rm', 'context remove'],
  args: atLeast(1),
  flags: {
    force: bool('Force the removal of a context in use', { short: 'f' }),
  },
  async run(cli, { flags, args }) {
    const failures: string[] = []
    for (const name of args) {
      try {
        checkContextRemoval(cli, name, flags.force)
        if (!contextExists(cli.configDirectory, name)) {
          if (flags.force) continue
          throw new Error(`context ${JSON.stringify(name)} does not exist`)
        }
        removeContext(cli.configDirectory, name)
        cli.print(name)
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
    if (failures.length > 0) throw new Error(failures.join('\n'))
    return OK
  },
})
