import { invalidArgument } from '#errors'
import { parseBoolean } from '../attributes.ts'

/** What `--provenance` asks for. Source: moby/buildkit docs/attestations/slsa-provenance.md. */
export interface ProvenanceOptions {
  /** `min` leaves out build arguments, secrets' names, the graph and the Dockerfile. */
  mode: 'min' | 'max'
  version: 'v0.2' | 'v1'
  /** Only where an image is put together with a manifest anyway. */
  inlineOnly: boolean
  reproducible: boolean
  /** Overrides the engine's own; undefined: not written. */
  builderId: string | undefined
}

/** undefined: nobody asked, or somebody asked for none. */
export function parseProvenance(options: Readonly<Record<string, string>>): ProvenanceOptions | undefined {
  const text = options['attest:provenance']
  if (text === undefined || text === 'false') return undefined
  const attributes = new Map(
    text
      .split(',')
      .filter((part) => part !== '' && part !== 'true')
      .map((part) => [part.split('=', 1)[0] ?? '', part.slice(part.indexOf('=') + 1)] as const),
  )
  const isTrue = (name: string): boolean =>
    attributes.has(name) && parseBoolean(name, attributes.get(name) === name ? '' : (attributes.get(name) ?? ''))
  if (isTrue('disabled')) return undefined
  return {
    mode: parseMode(attributes.get('mode') ?? 'max'),
    version: parseVersion(attributes.get('version') ?? 'v0.2'),
    inlineOnly: isTrue('inline-only'),
    reproducible: isTrue('reproducible'),
    builderId: attributes.get('builder-id'),
  }
}

function parseMode(text: string): 'min' | 'max' {
  if (text === 'full') return 'max'
  if (text === 'min' || text === 'max') return text
  throw invalidArgument(`invalid mode ${JSON.stringify(text)}`)
}

function parseVersion(text: string): 'v0.2' | 'v1' {
  if (text === 'v0.2' || text === 'v1') return text
  throw invalidArgument(`invalid SLSA provenance version ${JSON.stringify(text)}`)
}
