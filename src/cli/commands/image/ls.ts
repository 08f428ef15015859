/** `docker images`: list images. */
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { bool, string } from '../../parser/flag.ts'
import { filter } from '../../opts/filter.ts'
import { LIST_FORMAT_HELP } from '../../format/format-help.ts'
import { listImages } from '#client'
import { chooseFormat, formatList } from '../../format/format-list.ts'
import { imageTree } from '../../format/image-tree.ts'
import { IMAGE_LIST, IMAGE_TABLE_WITH_DIGEST, imageRows, imageView } from '../../format/image-view.ts'

export const command: Command = defineCommand({
  use: 'images [OPTIONS] [REPOSITORY[:TAG]]',
  short: 'List images',
  aliases: ['image ls', 'image list', 'images'],
  args: between(0, 1),
  flags: {
    all: bool('Show all images (default hides intermediate images)', { short: 'a' }),
    digests: bool('Show digests'),
    filter: filter('Filter output based on conditions provided', { short: 'f' }),
    format: string(LIST_FORMAT_HELP),
    'no-trunc': bool("Don't truncate output"),
    quiet: bool('Only show image IDs', { short: 'q' }),
    tree: bool('List multi-platform images as a tree (EXPERIMENTAL)', { version: '1.47' }),
  },
  async run(cli, { flags, args }) {
    const [reference] = args
    const filters =
      reference === undefined ? flags.filter : { ...flags.filter, reference: [...(flags.filter['reference'] ?? []), reference] }
    if (flags.tree) {
      refuseWithTree({ quiet: flags.quiet, 'no-trunc': flags['no-trunc'], 'show-digest': flags.digests, format: flags.format !== '' })
      const images = await listImages(cli.engine(), { all: flags.all, filters, manifests: true })
      cli.stdout.write(imageTree(images, cli.stdout, { all: flags.all }))
      return OK
    }
    const table = flags.digests ? IMAGE_TABLE_WITH_DIGEST : IMAGE_LIST.table
    const format =
      flags.quiet && ['', 'table'].includes(flags.format)
        ? '{{.ID}}'
        : rawFormat(chooseFormat(flags.format, cli.config.imagesFormat, table), flags.digests)
    const images = await listImages(cli.engine(), { all: flags.all, filters })
    const now = Date.now()
    const withDigest = flags.digests || format.includes('{{.Digest}}')
    const rows = imageRows(images, withDigest).map((row) => imageView(row, { truncate: !flags['no-trunc'], now }))
    cli.stdout.write(formatList(format, rows, IMAGE_LIST.headers))
    return OK
  },
})

function refuseWithTree(given: Readonly<Record<string, boolean>>): void {
  for (const [flag, isGiven] of Object.entries(given)) if (isGiven) throw new Error(`--${flag} is not yet supported with --tree`)
}

/** `raw`: one `key: value` a line. */
function rawFormat(format: string, digests: boolean): string {
  if (format !== 'raw') return format
  const digest = digests ? 'digest: {{.Digest}}\n' : ''
  return `repository: {{ .Repository }}\ntag: {{.Tag}}\n${digest}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`
}
