/** `docker rmi`: remove tags, and images that have none left. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { bool, strings } from '../../parser/flag.ts'
import { isNotFound, removeImage } from '#client'
import { errorText } from '../../errors.ts'
import { parsePlatformFlag } from '../../opts/platform.ts'

export const command: Command = defineCommand({
  use: 'rmi [OPTIONS] IMAGE [IMAGE...]',
  short: 'Remove one or more images',
  aliases: ['image rm', 'image remove', 'rmi'],
  args: atLeast(1),
  flags: {
    force: bool('Force removal of the image', { short: 'f' }),
    'no-prune': bool('Do not delete untagged parents'),
    platform: strings('Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")', {
      version: '1.50',
    }),
  },
  async run(cli, { flags, args }) {
    const engine = cli.engine()
    const platforms = flags.platform.map(parsePlatformFlag)
    const failures: string[] = []
    let fatal = false
    for (const name of args) {
      try {
        const items = await removeImage(engine, name, {
          force: flags.force,
          noprune: flags['no-prune'],
          ...(platforms.length === 0 ? {} : { platforms }),
        })
        for (const item of items) cli.print('Untagged' in item ? `Untagged: ${item.Untagged}` : `Deleted: ${item.Deleted}`)
      } catch (error) {
        // With --force a missing image is what was wanted.
        if (!isNotFound(error)) fatal = true
        failures.push(errorText(error))
      }
    }
    if (failures.length > 0) {
      const message = failures.join('\n')
      if (!flags.force || fatal) throw new Error(message)
      cli.warn(message)
    }
    return OK
  },
})
