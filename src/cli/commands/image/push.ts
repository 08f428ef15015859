/** `docker push`: upload an image. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { platformJson, pushImage } from '#client'
import { DEFAULT_TAG, familiarName, parseReference, withDefaultTag } from '#oci'
import { registryAuth } from '../../config/registry-auth.ts'
import { showProgress } from '../../terminal/progress.ts'

export const command: Command = defineCommand({
  use: 'push [OPTIONS] NAME[:TAG]',
  short: 'Upload an image to a registry',
  aliases: ['image push', 'push'],
  args: exactly(1),
  flags: {
    'all-tags': bool('Push all tags of an image to the repository', { short: 'a' }),
    'disable-content-trust': bool('Skip image signing', { initial: true }),
    platform: string(
      `Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`,
      { version: '1.46' },
    ),
    quiet: bool('Suppress verbose output', { short: 'q' }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    if (!flags['disable-content-trust']) throw new Error('content trust is not supported')
    const written = parseReference(name)
    if (flags['all-tags'] && written.tag !== undefined) throw new Error("tag can't be used with --all-tags/-a")
    const reference = flags['all-tags'] ? written : withDefaultTag(written)
    if (!flags['all-tags'] && written.tag === undefined && !flags.quiet) cli.print(`Using default tag: ${DEFAULT_TAG}`)
    const response = await pushImage(cli.engine(), familiarName(reference), {
      ...(reference.tag === undefined ? {} : { tag: reference.tag }),
      ...(flags.platform === '' ? {} : { platform: platformJson(flags.platform) }),
      auth: await registryAuth(cli, reference.domain),
    })
    const silent = { isTerminal: false, write: () => {}, size: () => undefined }
    await showProgress(response.body, flags.quiet ? silent : cli.stdout)
    return OK
  },
})
