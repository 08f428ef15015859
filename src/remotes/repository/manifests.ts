import { invalidArgument } from '#errors'
import { LimitExceededError, readLimited } from '#lib'
import { digestOf, isDigest, MAX_MANIFEST_SIZE, parseDigest } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import { registryError } from '../session/registry-error.ts'
import type { RegistrySession, SessionRequest } from '../session/registry-session.ts'
import type { HttpResponse } from '../transport/http-transport.ts'
import type { RemoteManifest } from '../types.ts'
import { ACCEPTED_MANIFESTS, manifestMediaType, mediaTypeOf, refuseSchema1 } from './manifest-type.ts'
import { onHosts, repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

export type ManifestReference = { tag: string } | { digest: Digest; size?: number }

/**
 * Descriptor of what a tag or digest names. By HEAD; where the answer lacks a digest, a size or a type we know, or is no success, by GET,
 * whose body says what is wrong. Source: distribution-spec v1.1, "Checking if content exists in the registry".
 */
export async function resolveManifest(
  context: RepositoryContext,
  reference: ManifestReference,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  return await onHosts(context, 'resolve', signal, async (session, signal) => {
    const head = await session.send(manifestRequest(context, 'HEAD', reference, signal))
    head.discard()
    return headDescriptor(head, reference, context.name) ?? (await getManifest(context, session, reference, signal)).descriptor
  })
}

/**
 * Fetches and verifies a manifest. Throws INVALID_ARGUMENT when digest, size or media type are not what they should be, or it is too large.
 */
export async function fetchManifest(
  context: RepositoryContext,
  reference: ManifestReference,
  signal: AbortSignal | undefined,
): Promise<RemoteManifest> {
  const capability = 'tag' in reference ? 'resolve' : 'pull'
  return await onHosts(context, capability, signal, (session, signal) => getManifest(context, session, reference, signal))
}

/** Uploads a manifest. Throws INVALID_ARGUMENT when the registry made other bytes of it. */
export async function pushManifest(
  context: RepositoryContext,
  reference: { tag: string } | { digest: Digest },
  manifest: { mediaType: string; bytes: Buffer },
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const digest = digestOf(manifest.bytes)
  return await onHosts(context, 'push', signal, async (session, signal) => {
    const response = await session.send({
      method: 'PUT',
      path: manifestPath(context.name, reference),
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
      scopes: [repositoryScope(context.name.path, 'pull,push')],
      signal,
    })
    if (response.status < 200 || response.status > 299) throw await registryError(response)
    response.discard()
    const told = response.headers['docker-content-digest']
    if (typeof told === 'string' && isDigest(told) && told !== digest)
      throw invalidArgument(`the registry stored the manifest as ${told}, its digest is ${digest}`)
    return digest
  })
}

function manifestPath({ path }: Reference, reference: ManifestReference): string {
  return `/${path}/manifests/${'tag' in reference ? encodeURIComponent(reference.tag) : reference.digest}`
}

function manifestRequest(
  context: RepositoryContext,
  method: 'GET' | 'HEAD',
  reference: ManifestReference,
  signal: AbortSignal | undefined,
): SessionRequest {
  return {
    method,
    path: manifestPath(context.name, reference),
    headers: { accept: ACCEPTED_MANIFESTS.join(', ') },
    scopes: [repositoryScope(context.name.path, 'pull')],
    signal,
  }
}

function headDescriptor(response: HttpResponse, reference: ManifestReference, name: Reference): Descriptor | undefined {
  const { status, headers } = response
  const mediaType = mediaTypeOf(headers['content-type'])
  const digest = headers['docker-content-digest']
  const size = Number(headers['content-length'] ?? NaN)
  if (status !== 200) return undefined
  refuseSchema1(mediaType, name)
  if (typeof digest !== 'string' || !isDigest(digest) || !Number.isSafeInteger(size) || !ACCEPTED_MANIFESTS.includes(mediaType))
    return undefined
  if ('digest' in reference && reference.digest !== digest) return undefined
  return { mediaType, digest, size }
}

async function getManifest(
  context: RepositoryContext,
  session: RegistrySession,
  reference: ManifestReference,
  signal: AbortSignal | undefined,
): Promise<RemoteManifest> {
  const response = await session.send(manifestRequest(context, 'GET', reference, signal))
  if (response.status !== 200) throw await registryError(response)
  const bytes = await readManifest(response)
  const digest = digestOf(bytes)
  const expected = expectedDigest(response, reference)
  if (expected !== undefined && expected !== digest) throw invalidArgument(`manifest verification failed for digest ${expected}`)
  const size = 'digest' in reference ? reference.size : undefined
  if (size !== undefined && size !== bytes.length)
    throw invalidArgument(`manifest ${digest} has ${bytes.length} bytes, its descriptor says ${size}`)
  const mediaType = manifestMediaType(bytes, response.headers['content-type'], context.name)
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes }
}

async function readManifest(response: HttpResponse): Promise<Buffer> {
  try {
    return await readLimited(response.body, MAX_MANIFEST_SIZE, 'manifest')
  } catch (error) {
    throw error instanceof LimitExceededError ? invalidArgument(error.message, error) : error
  }
}

/** Of a tag the registry's header is all we have. One with another algorithm than SHA-256 says nothing to us. */
function expectedDigest(response: HttpResponse, reference: ManifestReference): Digest | undefined {
  if ('digest' in reference) return reference.digest
  const told = response.headers['docker-content-digest']
  return typeof told === 'string' && told.startsWith('sha256:') ? parseDigest(told) : undefined
}
