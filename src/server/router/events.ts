/** `GET /events`. Source: moby `getEvents`. */

import { encodeJsonRecord, MEDIA_TYPES, type ApiVersion } from '#api'
import { invalidArgument } from '#errors'
import type { EventBus } from '#events'
import { parseFilters } from '../decode/filters.ts'
import { parseTimestamp } from '../decode/timestamp.ts'
import type { RequestContext } from '../request-context.ts'
import { encodeEvent } from '../wire/event.ts'

const EVENT_FILTERS = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
]

export async function sendEvents(events: EventBus, context: RequestContext): Promise<void> {
  const { query, version, signal } = context
  const since = parseTimestamp(query.text('since'))
  const until = parseTimestamp(query.text('until'))
  if (since !== undefined && until !== undefined && until < since) {
    throw invalidArgument(`\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`)
  }
  const filters = parseFilters(query.text('filters'), EVENT_FILTERS)
  const mediaType = chooseMediaType(context.request.headers.accept ?? '', version)
  const stream = events.subscribe({
    filters,
    signal,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  })
  context.startStream(mediaType)
  for await (const event of stream) {
    // Image creation has been an event since 1.46 only.
    if (version < 46 && event.type === 'image' && event.action === 'create') continue
    if (!(await context.write(encodeJsonRecord(mediaType, encodeEvent(event, version))))) return
  }
  context.response.end()
}

function chooseMediaType(accept: string, version: ApiVersion): string {
  const accepted = accept.split(',').map((part) => part.split(';', 1)[0]?.trim().toLowerCase())
  const offered = [MEDIA_TYPES.jsonSequence, MEDIA_TYPES.ndjson, MEDIA_TYPES.jsonLines]
  const fallback = version >= 52 ? MEDIA_TYPES.jsonLines : MEDIA_TYPES.json
  return accepted.map((name) => offered.find((offer) => offer === name)).find((offer) => offer !== undefined) ?? fallback
}
