/** The whole route table, in the order in which it is searched. */

import type { ApiServerDeps } from './backend.ts'
import type { Route } from './route.ts'
import { archiveRoutes } from './router/archive.ts'
import { attachRoutes } from './router/attach.ts'
import { attestationRoutes } from './router/attestations.ts'
import { buildRoutes } from './router/build.ts'
import { buildCacheRoutes } from './router/build-cache.ts'
import { buildkitRoutes } from './router/buildkit.ts'
import { containerLifeRoutes } from './router/container-life.ts'
import { containerOutputRoutes } from './router/container-output.ts'
import { containerRoutes } from './router/containers.ts'
import { execRoutes } from './router/exec.ts'
import { fsckRoutes } from './router/fsck.ts'
import { imageTransferRoutes } from './router/image-transfer.ts'
import { imageRoutes } from './router/images.ts'
import { networkRoutes } from './router/networks.ts'
import { refusedRoutes } from './router/refused.ts'
import { registryRoutes } from './router/registry.ts'
import { systemRoutes } from './router/system.ts'
import { volumeRoutes } from './router/volumes.ts'

/** Makes no call to any of `deps`: the API document is written from a table made with empty ones. */
export function createRoutes(deps: ApiServerDeps, minVersion: number): Route[] {
  return [
    // First: `DELETE /containers/{name*}` would take the path of a checkpoint for a container's name.
    ...refusedRoutes(),
    ...systemRoutes(deps, minVersion),
    ...containerRoutes(deps),
    ...containerLifeRoutes(deps),
    ...containerOutputRoutes(deps),
    ...attachRoutes(deps),
    ...archiveRoutes(deps),
    ...execRoutes(deps),
    // Before the images: `search` is no name.
    ...registryRoutes(deps),
    ...imageTransferRoutes(deps),
    ...attestationRoutes(deps),
    ...imageRoutes(deps),
    ...buildRoutes(deps),
    ...buildCacheRoutes(deps),
    ...buildkitRoutes(deps),
    ...fsckRoutes(deps),
    ...networkRoutes(deps),
    ...volumeRoutes(deps),
  ]
}
