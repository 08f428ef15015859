/** `docker load`: images from a tar archive. */
import { defineCommand, NO_ARGS, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { loadImages } from '#client'
import { showProgress } from '../../terminal/progress.ts'
import { readInput } from '../read-input.ts'
import { parsePlatformOption } from '../../opts/platform.ts'

export const command: Command = defineCommand({
  use: 'load [OPTIONS]',
  short: 'Load an image from a tar archive or STDIN',
  aliases: ['image load', 'load'],
  args: NO_ARGS,
  flags: {
    input: string('Read from tar archive file, instead of STDIN', { short: 'i' }),
    platform: string('Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")', { version: '1.48' }),
    quiet: bool('Suppress the load output', { short: 'q' }),
  },
  async run(cli, { flags }) {
    if (flags.input === '' && process.stdin.isTTY) throw new Error('requested load from stdin, but stdin is empty')
    const isTerminal = cli.stdout.isTerminal && !flags.quiet
    const response = await loadImages(cli.engine(), readInput(flags.input), {
      // Without a terminal nobody watches the bars.
      quiet: !isTerminal,
      ...(flags.platform === '' ? {} : { platform: parsePlatformOption(flags.platform) }),
    })
    await showProgress(response.body, cli.stdout)
    return OK
  },
})
