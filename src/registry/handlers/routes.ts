import type { Exchange } from '../http/exchange.ts'
import type { Endpoint, Route, RouteParameters } from '../http/route-table.ts'
import { listCatalog } from './catalog.ts'
import { appendUpload, cancelUpload, finishUpload, showUpload } from './continue-upload.ts'
import { deleteBlob } from './delete-blob.ts'
import { deleteManifest } from './delete-manifest.ts'
import { getBlob } from './get-blob.ts'
import { getManifest } from './get-manifest.ts'
import { listReferrers } from './list-referrers.ts'
import { listTags } from './list-tags.ts'
import { putManifest } from './put-manifest.ts'
import { startUpload } from './start-upload.ts'
import type { HandlerDeps } from './types.ts'

type Handler = (exchange: Exchange, parameters: RouteParameters, deps: HandlerDeps) => Promise<void>

/** All paths of the API. Source: distribution-spec v1.1, "Endpoints". */
export function createRoutes(deps: HandlerDeps): Route[] {
  const endpoint = (needs: Endpoint['needs'], handler: Handler): Endpoint => ({
    needs,
    handle: (exchange, parameters) => handler(exchange, parameters, deps),
  })
  return [
    {
      name: 'base',
      path: /^\/v2\/?$/,
      endpoints: { GET: { needs: 'login', handle: (exchange) => exchange.sendJson(200, {}) } },
    },
    {
      name: 'catalog',
      path: /^\/v2\/_catalog$/,
      endpoints: { GET: { needs: 'catalog', handle: (exchange) => listCatalog(exchange, deps) } },
    },
    { name: 'tags', path: /^\/v2\/(?<name>.+)\/tags\/list$/, endpoints: { GET: endpoint('pull', listTags) } },
    {
      name: 'uploads',
      path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/,
      endpoints: { POST: endpoint('push', startUpload) },
    },
    {
      name: 'upload',
      path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]+)$/,
      endpoints: {
        GET: endpoint('push', showUpload),
        PATCH: endpoint('push', appendUpload),
        PUT: endpoint('push', finishUpload),
        DELETE: endpoint('push', cancelUpload),
      },
    },
    {
      name: 'blobs',
      path: /^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/,
      endpoints: { GET: endpoint('pull', getBlob), DELETE: endpoint('delete', deleteBlob) },
    },
    {
      name: 'manifests',
      path: /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
      endpoints: {
        GET: endpoint('pull', getManifest),
        PUT: endpoint('push', putManifest),
        DELETE: endpoint('delete', deleteManifest),
      },
    },
    {
      name: 'referrers',
      path: /^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/,
      endpoints: { GET: endpoint('pull', listReferrers) },
    },
  ]
}
