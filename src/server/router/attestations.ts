/** `GET /images/{name}/attestations`: what the builder of an image says of it (provenance, list of packages), as in-toto statements. */

import type { AttestationStatement } from '#api'
import { internal, invalidArgument, notFound } from '#errors'
import { parseJson } from '#lib'
import { decodeManifest, formatPlatform, hostPlatform, MAX_MANIFEST_SIZE, platformMatches, type Descriptor, type Digest } from '#oci'
import type { ApiServerDeps } from '../backend.ts'
import { parsePlatformJson } from '../decode/platform.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'

/** Layers of an attestation manifest. Source: buildkit docs/attestations/attestation-storage.md. */
const IN_TOTO = 'application/vnd.in-toto+json'
const PREDICATE_TYPE = 'in-toto.io/predicate-type'
/** Of all statements of one answer, which is made in memory: a list of packages of a large image has some ten MiB. */
const MAX_STATEMENTS_SIZE = 64 * 1024 * 1024
const MAX_STATEMENT_DEPTH = 1000

type AttestationDeps = Pick<ApiServerDeps, 'images' | 'content'>

export function attestationRoutes(deps: AttestationDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/images/{name*}/attestations',
      since: 55,
      summary: 'Attestations of an image',
      handle(context) {
        const types = context.query.all('type').flatMap((type) => type.trim() || [])
        const withStatement = context.query.bool('statement')
        const read = statementReader(deps)
        const statements = attestationLayers(deps, context)
          .filter((layer) => types.length === 0 || types.includes(predicateType(layer)))
          .map((layer): AttestationStatement => ({
            Descriptor: layer,
            PredicateType: predicateType(layer),
            ...(withStatement ? { Statement: read(layer.digest) } : {}),
          }))
        context.json(200, statements)
      },
    },
  ]
}

/** Layers with statements about the manifest of the wanted platform, as far as they are here. */
function attestationLayers({ images, content }: AttestationDeps, context: RequestContext): Descriptor[] {
  const [text = '', ...more] = context.query.all('platform')
  if (more.length > 0) throw invalidArgument('only one platform value is currently supported')
  const wanted = text === '' ? hostPlatform() : parsePlatformJson(text)
  const name = context.param('name')
  const manifests = images.manifests(name)
  // Made here and never pushed: nothing that could have an attestation.
  if (manifests.length === 0) return []
  const subject = manifests.find(({ kind, platform }) => kind === 'image' && (platform === undefined || platformMatches(wanted, platform)))
  if (subject === undefined) throw notFound(`no manifest found for platform ${formatPlatform(wanted)} in image ${name}`)
  return manifests
    .filter(({ attestationFor }) => attestationFor === subject.descriptor.digest)
    .filter(({ descriptor }) => content.has(descriptor.digest))
    .flatMap(({ descriptor }) => {
      const document = decodeManifest(content.readAll(descriptor.digest, MAX_MANIFEST_SIZE))
      return document.kind === 'manifest' ? document.manifest.layers : []
    })
    .filter(({ mediaType, digest }) => mediaType === IN_TOTO && content.has(digest))
}

function predicateType({ annotations }: Descriptor): string {
  return annotations?.[PREDICATE_TYPE] ?? ''
}

/** Reads one after the other, until together they are too large. */
function statementReader({ content }: AttestationDeps): (digest: Digest) => unknown {
  let left = MAX_STATEMENTS_SIZE
  return (digest) => {
    const bytes = content.readAll(digest, left)
    left -= bytes.length
    try {
      return parseJson(bytes, { maxBytes: MAX_STATEMENTS_SIZE, maxDepth: MAX_STATEMENT_DEPTH })
    } catch (error) {
      throw internal(`attestation ${digest} is not readable: ${(error as Error).message}`, error)
    }
  }
}
