/** A route as data: the table in `router/` is read by the dispatcher, by the API document and by the test that compares it with Docker's. */

import { notImplemented } from '#errors'
import type { HijackContext } from './hijack-context.ts'
import type { RequestContext } from './request-context.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'

interface RouteBase {
  method: Method
  /** `/containers/{name*}/json`: `{x}` is one segment, `{x*}` takes slashes too (image names, container names with a leading slash). */
  path: string
  /** Minor of the API version that brought the route; older versions in the URL get 400. */
  since?: number
  summary: string
  /** A route that is there only to say what is missing. */
  refused?: boolean
}

/** Answers like any HTTP server. */
export interface PlainRoute extends RouteBase {
  handle: (context: RequestContext) => Promise<void> | void
}

/** Takes the connection over: the answer's head is written, and then raw bytes flow both ways. */
export interface HijackRoute extends RouteBase {
  hijack: (context: HijackContext) => Promise<void>
}

export type Route = PlainRoute | HijackRoute

/** A route whose feature Gantry does not have yet: 501 with a message that names it. */
export function refusedRoute(method: Method, path: string, feature: string, since?: number): PlainRoute {
  const route: PlainRoute = {
    method,
    path,
    summary: `${feature[0]?.toUpperCase()}${feature.slice(1)}`,
    refused: true,
    handle: () => {
      throw notImplemented(`${feature} is not implemented in Gantry yet`)
    },
  }
  if (since !== undefined) route.since = since
  return route
}
