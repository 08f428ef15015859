import { resolve } from 'node:path'

export interface VolumeSpecs {
  /** `HostConfig.Binds`: what has a source. */
  binds: string[]
  /** `Config.Volumes`: anonymous volumes. */
  anonymous: Record<string, object>
}

/**
 * `-v`: what names a source goes to the daemon as it is, with a relative host path made absolute; a path alone is an anonymous volume.
 * Throws Error with Docker's text for a malformed specification; options are the daemon's business.
 */
export function parseVolumes(specs: readonly string[], workingDirectory: string): VolumeSpecs {
  const result: VolumeSpecs = { binds: [], anonymous: {} }
  for (const spec of new Set(specs)) {
    const sections = split(spec)
    if (sections.length === 1) {
      result.anonymous[spec] = {}
      continue
    }
    const [source = '', ...rest] = sections
    // Only a leading dot makes a path relative: `x:/y` names a volume.
    const absolute = source.startsWith('.') ? resolve(workingDirectory, source) : source
    result.binds.push([absolute, ...rest].join(':'))
  }
  return result
}

function split(spec: string): string[] {
  if (spec === '') throw new Error('invalid empty volume spec')
  if (spec.length <= 2) return [spec]
  const sections = spec.split(':')
  if (sections.includes('')) throw new Error(`invalid spec: ${spec}: empty section between colons`)
  if (sections.length > 3) throw new Error(`invalid spec: ${spec}: too many colons`)
  return sections
}
