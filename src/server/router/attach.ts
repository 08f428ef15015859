/** Attaching to a container: hijacked, or over a WebSocket. */

import type { AttachRequest, ContainerService } from '#containers'
import type { Query } from '../decode/query.ts'
import type { Route } from '../route.ts'
import { acceptWebSocket } from '../streams/websocket.ts'

export function attachRoutes({ containers }: { containers: ContainerService }): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/{name*}/attach',
      summary: 'Attach to the streams of a container',
      async hijack(context) {
        await context.discardBody()
        const io = await containers.attach(context.param('name'), attachRequest(context.query))
        await io.pipe(context.accept(!io.tty))
      },
    },
    {
      method: 'GET',
      path: '/containers/{name*}/attach/ws',
      summary: 'Attach to the streams of a container over a WebSocket',
      async hijack(context) {
        const { query, version } = context
        const request = attachRequest(query)
        // Before 1.42 the choice of streams was ignored.
        if (version < 42) Object.assign(request, { stdin: true, stdout: true, stderr: true })
        const io = await containers.attach(context.param('name'), request)
        const stream = acceptWebSocket(context, { binary: version >= 28, demultiplex: !io.tty })
        await io.pipe(stream)
        stream.end()
      },
    },
  ]
}

function attachRequest(query: Query): AttachRequest {
  return {
    stdin: query.bool('stdin'),
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    stream: query.bool('stream'),
    logs: query.bool('logs'),
    detachKeys: query.text('detachKeys'),
  }
}
