/** `GET /images/{name}/attestations`: what the builder of an image says of it (provenance, list of packages), as in-toto statements. */

import type { AttestationStatement } from '#api'
import { invalidArgument, notFound } from '#errors'
import { decodeManifest, formatPlatform, hostPlatform, MAX_MANIFEST_SIZE, platformMatches, type Descriptor } from '#oci'
import type { ApiServerDeps } from '../backend.ts'
import { parsePlatformJson } from '../decode/platform.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'

/** Layers of an attestation manifest. Source: buildkit docs/attestations/attestation-storage.md. */
const IN_TOTO = 'application/vnd.in-toto+json'
const PREDICATE_TYPE = 'in-toto.io/predicate-type'
/** A list of packages of a large image has some ten MiB. */
const MAX_STATEMENT_SIZE = 64 * 1024 * 1024

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
        const statements = attestationLayers(deps, context)
          .filter((layer) => types.length === 0 || types.includes(predicateType(layer)))
          .map((layer): AttestationStatement => ({
            Descriptor: layer,
            PredicateType: predicateType(layer),
            ...(withStatement ? { Statement: readStatement(deps, layer) } : {}),
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

function readStatement({ content }: AttestationDeps, { digest }: Descriptor): unknown {
  return JSON.parse(content.readAll(digest, MAX_STATEMENT_SIZE).toString('utf8'))
}
