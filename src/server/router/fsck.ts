/** `POST /gantry/fsck`: check and repair of the store. Not Docker's: it has a path of its own. */

import { encodeJsonRecord, MEDIA_TYPES } from '#api'
import type { FsckEvent } from '#fsck'
import type { ApiServerDeps } from '../backend.ts'
import { messageOf } from '../http-status.ts'
import type { RequestContext } from '../request-context.ts'
import type { Route } from '../route.ts'

export function fsckRoutes({ fsck }: Pick<ApiServerDeps, 'fsck'>): Route[] {
  return [
    {
      method: 'POST',
      path: '/gantry/fsck',
      summary: 'Check the store, and mend it with `repair=1` (JSON lines: progress, findings, the report)',
      handle: (context) => runFsck(fsck, context),
    },
  ]
}

/** One object a line: `{"progress":{…}}`, `{"finding":{…}}`, and as the last one `{"report":{…}}` or `{"error":"…"}`. */
async function runFsck(fsck: ApiServerDeps['fsck'], context: RequestContext): Promise<void> {
  const { response } = context
  const send = (value: unknown): void => {
    if (response.destroyed) return
    if (!response.headersSent) context.startStream(MEDIA_TYPES.jsonLines)
    response.write(encodeJsonRecord(MEDIA_TYPES.jsonLines, value))
  }
  try {
    const report = await fsck.run({
      repair: context.query.bool('repair'),
      signal: context.signal,
      report(event) {
        // A client that does not read must not fill our memory: of how far it is it gets to see less.
        if (event.kind !== 'progress' || !response.writableNeedDrain) send(encodeEvent(event))
      },
    })
    // The findings have been told one by one.
    const { findings, ...rest } = report
    send({ report: { ...rest, findings: findings.length } })
  } catch (error) {
    if (!response.headersSent || context.isAborted) throw error
    send({ error: messageOf(error) })
  }
  response.end()
}

function encodeEvent(event: FsckEvent): object {
  if (event.kind === 'finding') return { finding: event.finding }
  const { phase, done, total } = event
  return { progress: { phase, done, total } }
}
