import { LimitExceededError, readLimited } from '#lib'
import { MAX_MANIFEST_SIZE } from '#oci'
import type { Exchange } from '../http/exchange.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { checkReferences } from '../repositories/check-references.ts'
import { readManifest } from '../repositories/manifest-document.ts'
import { publishEvent } from './publish-event.ts'
import { readReference } from './read-reference.ts'
import type { HandlerDeps } from './types.ts'

/** `PUT /v2/<name>/manifests/<reference>` (end-7): stored byte for byte once all that it refers to is here. */
export async function putManifest(exchange: Exchange, { name, reference: text }: RouteParameters, deps: HandlerDeps): Promise<void> {
  const reference = readReference(text)
  if (reference === undefined) throw new RegistryError('TAG_INVALID', { message: 'invalid tag', detail: { tag: text } })
  const manifest = readManifest(await readBody(exchange), exchange.header('content-type'))
  const { digest, mediaType, bytes, subject } = manifest
  if ('digest' in reference && reference.digest !== digest) {
    throw new RegistryError('DIGEST_INVALID', { detail: { digest: reference.digest, content: digest } })
  }
  const repository = deps.repositories.open(name)
  await checkReferences(repository, manifest)
  const tag = 'tag' in reference ? reference.tag : undefined
  await repository.putManifest(manifest, tag)
  const path = `/v2/${name}/manifests/${digest}`
  exchange.send(201, {
    Location: path,
    'Docker-Content-Digest': digest,
    ...(subject === undefined ? {} : { 'OCI-Subject': subject }),
  })
  publishEvent(deps, exchange, 'push', name, { digest, mediaType, size: bytes.length, ...(tag === undefined ? {} : { tag }), path })
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const tooLarge = new RegistryError('MANIFEST_INVALID', { status: 413, message: `manifest is larger than ${MAX_MANIFEST_SIZE} bytes` })
  if ((exchange.contentLength ?? 0) > MAX_MANIFEST_SIZE) throw tooLarge
  try {
    return await readLimited(exchange.body(), MAX_MANIFEST_SIZE)
  } catch (error) {
    throw error instanceof LimitExceededError ? tooLarge : error
  }
}
