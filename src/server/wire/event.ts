/** One message of `GET /events`. */

import type { ApiVersion, EventMessage } from '#api'
import type { EngineEvent } from '#events'

/** Before 1.52 there were three more fields; docker CLI and compose older than 25 crash without them. Source: moby `backFillLegacy`. */
export function encodeEvent(event: EngineEvent, version: ApiVersion): EventMessage {
  const message: EventMessage = {
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actor.id, Attributes: event.actor.attributes },
    scope: 'local',
    time: Number(event.timeNano / 1_000_000_000n),
    timeNano: exactInteger(event.timeNano),
  }
  if (version >= 52 || (event.type !== 'container' && event.type !== 'image')) return message
  const legacy = { status: event.action, id: event.actor.id }
  return event.type === 'image' ? { ...legacy, ...message } : { ...legacy, from: event.actor.attributes['image'] ?? '', ...message }
}

/** JSON.rawJSON of the source text access proposal, which V8 has and TypeScript's library does not name yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** A number beyond 2^53 in JSON, digit for digit: clients resume an event stream from it and must not miss or repeat one. */
function exactInteger(value: bigint): number {
  return rawJSON(String(value)) as number
}
