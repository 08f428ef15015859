/** `docker manifest push`: bring a manifest list to a registry, with the images of it that lie in other repositories there. */
import { fullString, parseReference, type Reference } from '#oci'
import type { Cli } from '../../cli.ts'
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { manifestList, type LocalManifest } from '../../manifests/image-manifest.ts'
import { createManifestStore } from '../../manifests/manifest-store.ts'
import { blobsOf, digestName, openRegistry, type RegistryManifests } from '../../manifests/registry-manifests.ts'
import { bool } from '../../parser/flag.ts'
import { manifestReference } from './manifest-reference.ts'

export const command: Command = defineCommand({
  use: 'push [OPTIONS] MANIFEST_LIST',
  short: 'Push a manifest list to a repository',
  experimental: true,
  args: exactly(1),
  flags: {
    insecure: bool('Allow push to an insecure registry'),
    purge: bool('Remove the local manifest list after push', { short: 'p' }),
  },
  async run(cli, { flags, args }) {
    const [name = ''] = args
    const target = manifestReference(name)
    const store = createManifestStore(cli.configDirectory)
    const manifests = store.list(fullString(target))
    if (manifests === undefined) throw new Error(`No such manifest: ${fullString(target)}`)
    if (manifests.length === 0) throw new Error(`${fullString(target)} not found`)
    for (const manifest of manifests) requirePushable(manifest, target)
    await using registry = openRegistry(cli, flags.insecure)
    for (const manifest of manifests) await pushImage(cli, registry, manifest, target)
    const { digest: written, tag = '' } = target
    const digest = await registry
      .repository(target, 'push')
      .pushManifest(written === undefined ? { tag } : { digest: written }, manifestList(manifests))
    cli.print(digest)
    if (flags.purge) store.remove(fullString(target))
    return OK
  },
})

function requirePushable({ ref, descriptor: { platform } }: LocalManifest, target: Reference): void {
  if (!platform?.architecture || !platform.os)
    throw new Error(`manifest ${ref} must have an OS and Architecture to be pushed to a registry`)
  const { domain } = parseReference(ref)
  if (domain !== target.domain)
    throw new Error(`cannot use source images from a different registry than the target image: ${domain} != ${target.domain}`)
}

/** A list can only point to what is in its own repository: images of others are mounted there, or copied where the registry will not mount. */
async function pushImage(cli: Cli, registry: RegistryManifests, manifest: LocalManifest, target: Reference): Promise<void> {
  const from = parseReference(manifest.ref)
  if (from.path === target.path) return
  const source = registry.repository(from, 'pull')
  const destination = registry.repository(target, 'push')
  for (const blob of blobsOf(manifest)) {
    const { digest, size } = blob
    await destination.pushBlob({
      digest,
      size,
      mountFrom: from.path,
      open: (signal) => source.fetchBlob(blob, signal === undefined ? {} : { signal }),
    })
  }
  const { digest, mediaType } = manifest.descriptor
  const pushed = await destination.pushManifest({ digest }, { mediaType, bytes: manifest.raw })
  cli.print(`Pushed ref ${digestName(target, digest)} with digest: ${pushed}`)
}
