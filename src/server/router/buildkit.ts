/**
 * Connections that become HTTP/2 and carry BuildKit's gRPC. On one the client calls; on the other, a session, it is called. A client that knows begins with
 * HTTP/2 at once, without either route (`connection.ts`).
 */

import { invalidArgument } from '#errors'
import type { BuildkitBackend } from '../backend.ts'
import type { HijackContext } from '../hijack-context.ts'
import type { Route } from '../route.ts'

const PROTOCOL = 'h2c'
/** Clients choose ids of 25 characters. */
const MAX_ID = 256
/** The name of a directory is part of it. */
const MAX_SHARED_KEY = 8192

export function buildkitRoutes(deps: { buildkit: BuildkitBackend }): Route[] {
  return [
    {
      method: 'POST',
      path: '/grpc',
      summary: 'Connection for gRPC calls of BuildKit clients',
      async hijack(context) {
        checkUpgrade(context)
        await deps.buildkit.serve(() => context.switchProtocol({ Upgrade: PROTOCOL }))
      },
    },
    {
      method: 'POST',
      path: '/session',
      summary: 'Session of a BuildKit client',
      async hijack(context) {
        checkUpgrade(context)
        const id = header(context, 'x-docker-expose-session-uuid', MAX_ID)
        if (id === '') throw invalidArgument('session UUID is missing')
        const sharedKey = header(context, 'x-docker-expose-session-sharedkey', MAX_SHARED_KEY)
        await deps.buildkit.openSession(() => context.switchProtocol({ Upgrade: PROTOCOL }), { id, sharedKey })
      },
    },
  ]
}

/** In moby's words. */
function checkUpgrade({ request }: HijackContext): void {
  const protocol = request.headers.upgrade ?? ''
  if (protocol === '') throw invalidArgument('no upgrade proto in request')
  if (protocol !== PROTOCOL) throw invalidArgument(`protocol ${protocol} not supported`)
}

function header({ request }: HijackContext, name: string, limit: number): string {
  const value = request.headers[name] ?? ''
  if (typeof value !== 'string' || value.length > limit) throw invalidArgument(`invalid header ${name}`)
  return value
}
