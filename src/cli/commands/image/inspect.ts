/** `docker image inspect`: everything the daemon knows about images. */
import { atLeast, defineCommand, type Command } from '../../command.ts'
import { string } from '../../parser/flag.ts'
import { INSPECT_FORMAT_HELP } from '../../format/format-help.ts'
import { inspectAll } from '../inspect-objects.ts'
import { parsePlatformFlag } from '../../opts/platform.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] IMAGE [IMAGE...]',
  short: 'Display detailed information on one or more images',
  args: atLeast(1),
  flags: {
    format: string(INSPECT_FORMAT_HELP, { short: 'f' }),
    platform: string(
      `Inspect a specific platform of the multi-platform image.
If the image or the server is not multi-platform capable, the command will error out if the platform does not match.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`,
      { version: '1.49' },
    ),
  },
  async run(cli, { flags, args }) {
    return inspectAll(cli, args, {
      type: 'image',
      format: flags.format,
      ...(flags.platform === '' ? {} : { platform: JSON.stringify(parsePlatformFlag(flags.platform)) }),
    })
  },
})
