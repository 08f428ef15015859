/** `docker create`: make a container without starting it. */
import { OK, atLeast, defineCommand, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { CREATE_FLAGS } from './create-flags.ts'
import { createWithPull, prepareBody } from './create-container.ts'
import { createFailure } from './run-errors.ts'

export const command: Command = defineCommand({
  use: 'create [OPTIONS] IMAGE [COMMAND] [ARG...]',
  short: 'Create a new container',
  aliases: ['container create', 'create'],
  args: atLeast(1),
  interspersed: false,
  flags: {
    ...CREATE_FLAGS,
    pull: string('Pull image before creating ("always", "|missing", "never")', { initial: 'missing' }),
  },
  async run(cli, invocation) {
    let body
    try {
      body = prepareBody(cli, invocation)
    } catch (error) {
      throw createFailure(cli, 'create', error)
    }
    cli.print(await createWithPull(cli, body, invocation.flags))
    return OK
  },
})
