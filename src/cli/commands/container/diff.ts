/** `docker diff`: what a container has changed in its file system. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { containerChanges } from '#client'

export const command: Command = defineCommand({
  use: 'diff CONTAINER',
  short: "Inspect changes to files or directories on a container's filesystem",
  aliases: ['container diff', 'diff'],
  args: exactly(1),
  flags: {},
  async run(cli, { args }) {
    const [name = ''] = args
    const changes = await containerChanges(cli.engine(), name)
    cli.stdout.write(changes.map(({ Kind, Path }) => `${KINDS[Kind]} ${Path}\n`).join(''))
    return OK
  },
})

/** By the number the API uses: changed, added, deleted. */
const KINDS = ['C', 'A', 'D']
