import type { BuildImage, BuildResult, Edge } from '#build'
import { invalidArgument, notImplemented } from '#errors'
import { gateway, type MessageInitShape } from '#grpc'
import { parseJson } from '#lib'
import { decodeImageConfig, formatPlatform, MAX_CONFIG_SIZE, normalisePlatform, type ImageConfigFile, type Platform } from '#oci'
import type { ClientBuild } from './client-build.ts'
import type { ResultRefs } from './llb/result-refs.ts'

type ResultInit = MessageInitShape<typeof gateway.ResultSchema>
type RefInit = MessageInitShape<typeof gateway.RefSchema>

/** Names of metadata: moby/buildkit exporter/containerimage/exptypes. */
const CONFIG = 'containerimage.config'
const PLATFORMS = 'refs.platforms'
const MAX_PLATFORMS_JSON = 1 << 20

/** A frontend's result for the client. */
export function toResult(result: BuildResult, client: ClientBuild, refs: ResultRefs): ResultInit {
  const metadata: Record<string, Uint8Array> = { ...result.metadata }
  const byPlatform: Record<string, RefInit> = {}
  for (const image of result.images) {
    const ref = refs.keep(image.edge, client.session, image.platform)
    const config = image.config === undefined ? '' : JSON.stringify(image.config)
    client.given.push({ ref: ref.id ?? '', image, config })
    byPlatform[image.id] = ref
    if (config !== '') metadata[result.multiPlatform ? `${CONFIG}/${image.id}` : CONFIG] = Buffer.from(config)
  }
  // What a client has defined has the platform that the client says.
  if (result.images.some(({ config }) => config !== undefined)) {
    const platforms = result.images.map(({ id, platform }) => ({ ID: id, Platform: platform }))
    metadata[PLATFORMS] = Buffer.from(JSON.stringify({ Platforms: platforms }))
  }
  if (result.multiPlatform) return { result: { case: 'refs', value: { refs: byPlatform } }, metadata }
  const [ref] = Object.values(byPlatform)
  return ref === undefined || ref.id === '' ? { metadata } : { result: { case: 'ref', value: ref }, metadata }
}

/** What a client hands over. Throws INVALID_ARGUMENT for references that are none of ours, NOT_IMPLEMENTED for attestations that are no bundles. */
export function fromResult(
  message: gateway.Result,
  client: Pick<ClientBuild, 'given'>,
  refs: Pick<ResultRefs, 'find'>,
  host: Platform,
): BuildResult {
  const { metadata } = message
  const platforms = decodePlatforms(metadata[PLATFORMS])
  const ids = refIds(message, platforms[0]?.id ?? formatPlatform(host))
  const multiPlatform = message.result.case === 'refs' || message.result.case === 'refsDeprecated'
  // The client's map has no order; the list of platforms has the user's.
  const place = new Map(platforms.map(({ id }, index) => [id, index]))
  const ordered = Object.entries(ids).sort(([a], [b]) => (place.get(a) ?? platforms.length) - (place.get(b) ?? platforms.length))
  const images = ordered.map(([id, ref]): BuildImage => {
    const config = metadata[`${CONFIG}/${id}`] ?? (multiPlatform ? undefined : metadata[CONFIG])
    const text = config === undefined ? '' : Buffer.from(config).toString()
    const known = client.given.find((given) => given.ref === ref && given.image.id === id && given.config === text)
    if (known !== undefined) return known.image
    const platform = platforms.find((candidate) => candidate.id === id)?.platform
    const edge = refs.find(ref)
    const statements = statementsOf(message.attestations[id], refs)
    const files = { id, edge, ...(statements !== undefined && { statements }) }
    if (config === undefined) return { ...files, platform: platform ?? host }
    const decoded = decodeConfig(config, platform ?? host)
    return { ...files, platform: platform ?? platformOf(decoded), config: decoded }
  })
  const rest = Object.entries(metadata).filter(([name]) => name !== PLATFORMS && name !== CONFIG && !name.startsWith(`${CONFIG}/`))
  return { images, multiPlatform, metadata: Object.fromEntries(rest) }
}

/** What a frontend's scanner has written. Source: moby/buildkit frontend/attestations/sbom. */
function statementsOf(attestations: gateway.Attestations | undefined, refs: Pick<ResultRefs, 'find'>): Edge | undefined {
  const [bundle, ...others] = attestations?.attestation ?? []
  if (bundle === undefined) return undefined
  if (others.length > 0 || bundle.kind !== gateway.AttestationKind.Bundle || bundle.path !== '') {
    throw notImplemented('attestations made by a client, other than one bundle for an image, are not implemented in Gantry')
  }
  return refs.find(bundle.ref?.id ?? '')
}

/**
 * Go's clients write what they leave out as empty texts and `null`; layers are ours to fill in. Throws INVALID_ARGUMENT. Source: moby/buildkit
 * exporter/containerimage/writer.go, exptypes/parse.go.
 */
function decodeConfig(bytes: Uint8Array, { os, architecture }: Platform): ImageConfigFile {
  const config = parseJson(Buffer.from(bytes), { maxBytes: MAX_CONFIG_SIZE, maxDepth: 32 }) as Partial<ImageConfigFile> | null
  if (config === null) throw invalidArgument('invalid null image config for export')
  const [isOsKnown, isArchitectureKnown] = [Boolean(config.os), Boolean(config.architecture)]
  if (isOsKnown !== isArchitectureKnown) throw invalidArgument('invalid image config: os and architecture must be specified together')
  const rootfs = { type: 'layers', diff_ids: [] }
  return decodeImageConfig(Buffer.from(JSON.stringify({ ...config, ...(!isOsKnown && { os, architecture }), rootfs })))
}

function platformOf({ os, architecture, variant }: ImageConfigFile): Platform {
  return normalisePlatform({ os, architecture, ...(variant !== undefined && { variant }) })
}

/** Id of the file system by platform. One that is empty has no id; that there is an image at all is known by its config. */
function refIds({ result, metadata }: gateway.Result, platform: string): Record<string, string> {
  if (isAnswer(metadata) && (result.case !== 'ref' || result.value.id === '')) return {}
  switch (result.case) {
    case 'ref':
      return { [platform]: result.value.id }
    case 'refDeprecated':
      return { [platform]: result.value }
    case 'refs':
      return Object.fromEntries(Object.entries(result.value.refs).map(([id, ref]) => [id, ref.id]))
    case 'refsDeprecated':
      return { ...result.value.refs }
    default:
      return metadata[CONFIG] === undefined ? {} : { [platform]: '' }
  }
}

/**
 * What was asked about a Dockerfile (`--check`, `--call`). buildx hands it back like a result, with the exporters of the build: an image of nothing would be pushed
 * under the name of the real one. Source: moby/buildkit frontend/subrequests.
 */
function isAnswer(metadata: Readonly<Record<string, Uint8Array>>): boolean {
  return 'result.json' in metadata && metadata[CONFIG] === undefined
}

function decodePlatforms(json: Uint8Array | undefined): { id: string; platform: Platform }[] {
  if (json === undefined) return []
  const value = parseJson(Buffer.from(json), { maxBytes: MAX_PLATFORMS_JSON, maxDepth: 8 }) as { Platforms?: unknown } | null
  if (!Array.isArray(value?.Platforms) || value.Platforms.length === 0) throw invalidArgument('invalid empty platforms index for exporter')
  return value.Platforms.map((entry: unknown) => {
    const { ID: id, Platform: platform } = (entry ?? {}) as { ID?: unknown; Platform?: Partial<Record<keyof Platform, unknown>> | null }
    const { os, architecture, variant } = platform ?? {}
    if (typeof id !== 'string' || id === '') throw invalidArgument('invalid empty platform key for exporter')
    if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') {
      throw invalidArgument(`invalid platform value ${JSON.stringify(platform)} for exporter`)
    }
    return { id, platform: normalisePlatform({ os, architecture, ...(typeof variant === 'string' && { variant }) }) }
  })
}
