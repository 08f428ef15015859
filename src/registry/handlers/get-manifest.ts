import { etagOf, isUnchanged } from '../http/conditions.ts'
import type { Exchange } from '../http/exchange.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { publishEvent } from './publish-event.ts'
import { manifestUnknown, readReference } from './read-reference.ts'
import type { HandlerDeps } from './types.ts'

/** The type is what the pusher says, so it may be text/html: a browser must not run what is in it with the rights of this server's pages. */
const INERT = { 'Content-Security-Policy': "default-src 'none'; sandbox" }

/**
 * `GET` and `HEAD /v2/<name>/manifests/<reference>` (end-3). The manifest comes as it was pushed, whatever `Accept` says: another form of it would have
 * another digest.
 */
export async function getManifest(exchange: Exchange, { name, reference: text }: RouteParameters, deps: HandlerDeps): Promise<void> {
  const reference = readReference(text)
  if (reference === undefined) throw manifestUnknown(name, text)
  await deps.upstream?.refreshManifest(name, reference, { signal: exchange.signal })
  const repository = deps.repositories.open(name)
  const digest = 'tag' in reference ? await repository.tag(reference.tag) : reference.digest
  // Who asks whether a manifest is here by digest may be about to push an index that names it.
  if (digest !== undefined && deps.isWritable && exchange.method === 'HEAD') await repository.keepManifest(digest)
  const manifest = digest && (await repository.readManifest(digest))
  if (!manifest) throw manifestUnknown(name, text)
  const { record, bytes } = manifest
  const headers = { 'Docker-Content-Digest': record.digest, Etag: etagOf(record.digest) }
  if (isUnchanged(exchange, record.digest)) return exchange.send(304, headers)
  exchange.send(200, { ...headers, ...INERT, 'Content-Type': record.mediaType }, bytes)
  publishEvent(deps, exchange, 'pull', name, {
    digest: record.digest,
    mediaType: record.mediaType,
    size: record.size,
    ...('tag' in reference ? { tag: reference.tag } : {}),
    path: `/v2/${name}/manifests/${record.digest}`,
  })
}
