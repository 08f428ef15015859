/** `docker manifest create`: begin a manifest list, on this machine, of images that a registry has. */
import { fullString } from '#oci'
import { atLeast, defineCommand, OK, type Command } from '../../command.ts'
import { createManifestStore } from '../../manifests/manifest-store.ts'
import { openRegistry } from '../../manifests/registry-manifests.ts'
import { bool } from '../../parser/flag.ts'
import { manifestReference } from './manifest-reference.ts'

export const command: Command = defineCommand({
  use: 'create MANIFEST_LIST MANIFEST [MANIFEST...]',
  short: 'Create a local manifest list for annotating and pushing to a registry',
  experimental: true,
  args: atLeast(2),
  flags: {
    amend: bool('Amend an existing manifest list', { short: 'a' }),
    insecure: bool('Allow communication with an insecure registry'),
  },
  async run(cli, { flags, args }) {
    const [name = '', ...images] = args
    const list = fullString(manifestReference(name, 'error parsing name for manifest list'))
    const store = createManifestStore(cli.configDirectory)
    if (!flags.amend && store.list(list) !== undefined) throw new Error('refusing to amend an existing manifest list with no --amend flag')
    await using registry = openRegistry(cli, flags.insecure)
    for (const image of images) {
      const reference = manifestReference(image)
      const key = fullString(reference)
      store.save(list, key, store.get(list, key) ?? (await registry.image(reference)))
    }
    cli.print(`Created manifest list ${list}`)
    return OK
  },
})
