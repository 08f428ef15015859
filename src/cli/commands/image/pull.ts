/** `docker pull`: download an image. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { pullImage } from '#client'
import { DEFAULT_TAG, fullName, fullString, parseReference, withDefaultTag } from '#oci'
import { SILENT } from '../../terminal/output.ts'
import { showProgress } from '../../terminal/progress.ts'
import { withLogin } from '../registry/with-login.ts'
import { wantedPlatform } from '../../config/wanted-platform.ts'

export const command: Command = defineCommand({
  use: 'pull [OPTIONS] NAME[:TAG|@DIGEST]',
  short: 'Download an image from a registry',
  aliases: ['image pull', 'pull'],
  args: exactly(1),
  flags: {
    'all-tags': bool('Download all tagged images in the repository', { short: 'a' }),
    'disable-content-trust': bool('Skip image verification', { initial: true }),
    platform: string('Set platform if server is multi-platform capable'),
    quiet: bool('Suppress verbose output', { short: 'q' }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    if (!flags['disable-content-trust']) throw new Error('content trust is not supported')
    const written = parseReference(name)
    if (flags['all-tags'] && (written.tag !== undefined || written.digest !== undefined))
      throw new Error("tag can't be used with --all-tags/-a")
    const reference = flags['all-tags'] ? written : withDefaultTag(written)
    if (!flags['all-tags'] && written.tag === undefined && written.digest === undefined && !flags.quiet)
      cli.print(`Using default tag: ${DEFAULT_TAG}`)
    const tag = reference.digest ?? reference.tag
    const response = await withLogin(cli, reference.domain, 'pull', (auth) =>
      pullImage(cli.engine(), {
        fromImage: fullName(reference),
        ...(tag === undefined ? {} : { tag }),
        ...wantedPlatform(cli, flags.platform),
        auth,
      }),
    )
    await showProgress(response.body, flags.quiet ? SILENT : cli.stdout)
    cli.print(fullString(reference))
    return OK
  },
})
