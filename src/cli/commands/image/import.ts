/** `docker import`: an image from the tar archive of a file system. */
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { list, string } from '../../parser/flag.ts'
import { importImage } from '#client'
import { familiarName, parseReference } from '#oci'
import { showProgress } from '../../terminal/progress.ts'
import { readInput } from '../read-input.ts'
import { wantedPlatform } from '../../config/wanted-platform.ts'

export const command: Command = defineCommand({
  use: 'import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  short: 'Import the contents from a tarball to create a filesystem image',
  aliases: ['image import', 'import'],
  args: atLeast(1),
  flags: {
    change: list('Apply Dockerfile instruction to the created image', { short: 'c' }),
    message: string('Set commit message for imported image', { short: 'm' }),
    platform: string('Set platform if server is multi-platform capable'),
  },
  async run(cli, { flags, args }) {
    const [source = '', target = ''] = args
    const reference = target === '' ? undefined : parseReference(target)
    const query = {
      ...(reference === undefined ? {} : { repo: familiarName(reference), tag: reference.tag ?? '' }),
      message: flags.message,
      changes: flags.change,
      ...wantedPlatform(cli, flags.platform),
    }
    const isUrl = /^https?:\/\//.test(source)
    const response = isUrl
      ? await importImage(cli.engine(), { fromSrc: source, ...query })
      : await importImage(cli.engine(), { fromSrc: '-', ...query }, readInput(source === '-' ? '' : source))
    await showProgress(response.body, cli.stdout)
    return OK
  },
})
