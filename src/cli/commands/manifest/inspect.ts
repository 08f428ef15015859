/** `docker manifest inspect`: a manifest or a manifest list, from this machine or from a registry. */
import { fullString } from '#oci'
import type { Cli } from '../../cli.ts'
import { between, defineCommand, OK, type Command } from '../../command.ts'
import { indentJson } from '../../format/json-text.ts'
import { manifestList, manifestText, type LocalManifest } from '../../manifests/image-manifest.ts'
import { createManifestStore } from '../../manifests/manifest-store.ts'
import { openRegistry } from '../../manifests/registry-manifests.ts'
import { bool } from '../../parser/flag.ts'
import { manifestReference } from './manifest-reference.ts'

export const command: Command = defineCommand({
  use: 'inspect [OPTIONS] [MANIFEST_LIST] MANIFEST',
  short: 'Display an image manifest, or manifest list',
  experimental: true,
  args: between(1, 2),
  flags: {
    insecure: bool('Allow communication with an insecure registry'),
    verbose: bool('Output additional info including layers and platform', { short: 'v' }),
  },
  async run(cli, { flags, args }) {
    const [first = '', second] = args
    const store = createManifestStore(cli.configDirectory)
    if (second !== undefined) {
      const image = fullString(manifestReference(second))
      const manifest = store.get(fullString(manifestReference(first)), image)
      if (manifest === undefined) throw new Error(`No such manifest: ${image}`)
      return print(cli, { isList: false, manifests: [manifest] }, flags.verbose)
    }
    const reference = manifestReference(first)
    const local = store.list(fullString(reference))
    if (local !== undefined) return print(cli, { isList: true, manifests: local }, flags.verbose)
    await using registry = openRegistry(cli, flags.insecure)
    return print(cli, await registry.imageOrList(reference), flags.verbose)
  },
})

function print(cli: Cli, { isList, manifests }: { isList: boolean; manifests: LocalManifest[] }, verbose: boolean): number {
  const [first] = manifests
  if (verbose) {
    const texts = manifests.map(manifestText)
    cli.print(indentJson(isList ? `[${texts.join(',')}]` : (texts[0] ?? ''), '', '\t'))
  } else if (isList) cli.print(manifestList(manifests).bytes.toString('utf8'))
  else cli.print(indentJson(first?.raw.toString('utf8') ?? '', '', '\t'))
  return OK
}
