/** Ping, version, info, disk usage, events. */

import { formatVersion, MAX_API_VERSION } from '#api'
import type { ApiServerDeps } from '../backend.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'
import { encodeInfo } from '../wire/info.ts'
import { sendEvents } from './events.ts'
import { sendDiskUsage } from './disk-usage.ts'

const PING_HEADERS = {
  'Content-Type': 'text/plain; charset=utf-8',
  // Without it, or with 1, old clients choose the classic builder.
  'Builder-Version': '2',
  Swarm: 'inactive',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
}

export function systemRoutes(deps: ApiServerDeps, minVersion: number): Route[] {
  const { system } = deps
  return [
    { method: 'HEAD', path: '/_ping', summary: 'Is the engine there, and which API does it speak', handle: (context) => ping(context) },
    { method: 'GET', path: '/_ping', summary: 'The same, with a body', handle: (context) => ping(context) },
    {
      method: 'GET',
      path: '/version',
      summary: 'Versions of the engine and its parts',
      async handle(context) {
        const version = await system.version()
        const apiVersions = { ApiVersion: formatVersion(MAX_API_VERSION), MinAPIVersion: formatVersion(minVersion) }
        context.json(200, { ...version, ...apiVersions })
      },
    },
    {
      method: 'GET',
      path: '/info',
      summary: 'State of the engine and its host',
      async handle(context) {
        context.json(200, encodeInfo(await system.info(), context.version))
      },
    },
    { method: 'GET', path: '/events', summary: 'Past and live events', handle: (context) => sendEvents(deps.events, context) },
    { method: 'GET', path: '/system/df', summary: 'Disk usage by kind of object', handle: (context) => sendDiskUsage(deps, context) },
  ]
}

function ping(context: RequestContext): void {
  const body = context.request.method === 'HEAD' ? '' : 'OK'
  context.response.writeHead(200, { ...PING_HEADERS, 'Content-Length': body.length })
  context.response.end(body)
}
