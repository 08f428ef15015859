/** `docker save`: images as a tar archive. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { saveImages } from '#client'
import { saveToFile } from '../save-to-file.ts'
import { parsePlatformOption } from '../../opts/platform.ts'

export const command: Command = defineCommand({
  use: 'save [OPTIONS] IMAGE [IMAGE...]',
  short: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  aliases: ['image save', 'save'],
  args: atLeast(1),
  flags: {
    output: string('Write to a file, instead of STDOUT', { short: 'o' }),
    platform: string('Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")', { version: '1.48' }),
  },
  async run(cli, { flags, args }) {
    if (flags.output === '' && cli.stdout.isTerminal)
      throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect')
    const platform = flags.platform === '' ? undefined : parsePlatformOption(flags.platform)
    await saveToFile(cli, flags.output, 'failed to save image', async () => (await saveImages(cli.engine(), args, platform)).body)
    return OK
  },
})
