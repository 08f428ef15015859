/** `docker manifest annotate`: say for which platform an image of a manifest list is. */
import { fullString } from '#oci'
import { defineCommand, exactly, OK, type Command } from '../../command.ts'
import { orderedPlatform } from '../../manifests/image-manifest.ts'
import { createManifestStore } from '../../manifests/manifest-store.ts'
import { string, strings } from '../../parser/flag.ts'
import { manifestReference } from './manifest-reference.ts'

/** What Docker's CLI takes: the combinations that Go compiles for. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  darwin: ['386', 'amd64', 'arm', 'arm64'],
  dragonfly: ['amd64'],
  freebsd: ['386', 'amd64', 'arm'],
  linux: ['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'mips64', 'mips64le', 'riscv64', 's390x'],
  netbsd: ['386', 'amd64', 'arm'],
  openbsd: ['386', 'amd64', 'arm'],
  plan9: ['386', 'amd64'],
  solaris: ['amd64'],
  windows: ['386', 'amd64', 'arm64'],
}

export const command: Command = defineCommand({
  use: 'annotate [OPTIONS] MANIFEST_LIST MANIFEST',
  short: 'Add additional information to a local image manifest',
  experimental: true,
  args: exactly(2),
  flags: {
    arch: string('Set architecture'),
    os: string('Set operating system'),
    'os-features': strings('Set operating system feature'),
    'os-version': string('Set operating system version'),
    variant: string('Set architecture variant'),
  },
  async run(cli, { flags, args }) {
    const [listName = '', imageName = ''] = args
    const list = fullString(manifestReference(listName, 'annotate: error parsing name for manifest list'))
    const image = fullString(manifestReference(imageName, 'annotate: error parsing name for manifest'))
    const store = createManifestStore(cli.configDirectory)
    const manifest = store.get(list, image)
    if (manifest === undefined) throw new Error(`manifest for image ${imageName} does not exist in ${listName}`)
    const known = manifest.descriptor.platform
    const platform = orderedPlatform({
      architecture: flags.arch || (known?.architecture ?? ''),
      os: flags.os || (known?.os ?? ''),
      variant: flags.variant || (known?.variant ?? ''),
      'os.version': flags['os-version'] || (known?.['os.version'] ?? ''),
      'os.features': [...new Set([...(known?.['os.features'] ?? []), ...flags['os-features']])],
    })
    if (ARCHITECTURES[platform.os]?.includes(platform.architecture) !== true)
      throw new Error(`manifest entry for image has unsupported os/arch combination: ${flags.os}/${flags.arch}`)
    store.save(list, image, { ...manifest, descriptor: { ...manifest.descriptor, platform } })
    return OK
  },
})
