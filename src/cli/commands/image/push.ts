/** `docker push`: upload an image. */
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import type { WirePlatform } from '#api'
import { pushImage } from '#client'
import { DEFAULT_TAG, fullName, fullString, parseReference, withDefaultTag } from '#oci'
import { parsePlatformFlag } from '../../opts/platform.ts'
import { printNote } from '../../terminal/note.ts'
import { SILENT } from '../../terminal/output.ts'
import { showProgress } from '../../terminal/progress.ts'
import { withLogin } from '../registry/with-login.ts'
import { pushNote } from './push-note.ts'

const PLATFORM_NOTE = `Using --platform pushes only the specified platform manifest of a multi-platform image index.
Other components, like attestations, will not be included.
To push the complete multi-platform image, remove the --platform flag.
`

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
    const platform = flags.platform === '' ? undefined : platformOf(flags.platform)
    if (platform !== undefined) printNote(cli.stdout, PLATFORM_NOTE)
    const written = parseReference(name)
    const isNameOnly = written.tag === undefined && written.digest === undefined
    if (flags['all-tags'] && !isNameOnly) throw new Error("tag can't be used with --all-tags/-a")
    const reference = flags['all-tags'] ? written : withDefaultTag(written)
    if (!flags['all-tags'] && isNameOnly && !flags.quiet) cli.print(`Using default tag: ${DEFAULT_TAG}`)
    if (reference.digest !== undefined) throw new Error('cannot push a digest reference')
    const response = await withLogin(cli, reference.domain, 'push', (auth) =>
      pushImage(cli.engine(), fullName(reference), {
        ...(reference.tag === undefined ? {} : { tag: reference.tag }),
        ...(platform === undefined ? {} : { platform }),
        auth,
      }),
    )
    const notes: string[] = []
    try {
      await showProgress(response.body, flags.quiet ? SILENT : cli.stdout, (aux) => notes.push(...pushNote(aux)))
      if (flags.quiet) cli.print(fullString(reference))
    } finally {
      for (const note of notes) printNote(cli.stdout, note)
    }
    return OK
  },
})

/** Docker begins a line and leaves it to the error to end it. */
function platformOf(text: string): WirePlatform {
  try {
    return parsePlatformFlag(text)
  } catch (error) {
    throw new Error(`Invalid platform ${text}${(error as Error).message}`, { cause: error })
  }
}
