/** The whole route table, in the order in which it is searched. */

import type { ApiServerDeps } from './backend.ts'
import type { Route } from './route.ts'
import { attachRoutes } from './router/attach.ts'
import { containerRoutes } from './router/containers.ts'
import { execRoutes } from './router/exec.ts'
import { systemRoutes } from './router/system.ts'

/** Makes no call to any of `deps`: the API document is written from a table made with empty ones. */
export function createRoutes(deps: ApiServerDeps, minVersion: number): Route[] {
  return [...systemRoutes(deps, minVersion), ...containerRoutes(deps), ...attachRoutes(deps), ...execRoutes(deps)]
}
