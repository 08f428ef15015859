import type { Image } from '#images'
import { formatPlatform, hostPlatform, platformMatches, type Platform } from '#oci'

/** Docker's warning about an image for another kind of machine, which nobody has asked for by its platform; undefined for any other. Source: moby daemon/create.go. */
export function foreignImageWarning({ config }: Pick<Image, 'config'>, machine: string): string | undefined {
  const { os, architecture, variant } = config
  // Images that are only files may leave it out.
  if (os === '' || architecture === '') return undefined
  const image: Platform = { os, architecture, ...(variant !== undefined && variant !== '' && { variant }) }
  const host = hostPlatform(machine)
  if (runsOn(host).some((known) => platformMatches(known, { os, architecture }))) return undefined
  const [is, wanted] = [formatPlatform(image), formatPlatform(host)]
  return `The requested image's platform (${is}) does not match the detected host platform (${wanted}) and no specific platform was requested`
}

/** The machine's own programs, and those of its 32-bit relative. */
function runsOn(host: Platform): Platform[] {
  const relative = { amd64: '386', arm64: 'arm' }[host.architecture]
  return relative === undefined ? [host] : [host, { os: host.os, architecture: relative }]
}
