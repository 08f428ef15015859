import { familiarName, parseReference } from '#oci'
import type { EngineEvent, EventFilters } from './types.ts'

/** Filter values that mean every action of that name: actions like `exec_start: sh -c x` carry a detail after the colon. */
const ACTIONS_WITH_DETAIL = ['health_status', 'exec_create', 'exec_start']

/** Keys whose values are matched as a prefix of the actor's id or name, whatever the event's type. */
const ACTOR_KEYS = ['container', 'volume', 'network', 'daemon', 'plugin', 'service', 'node', 'secret', 'config']

/** Every event of one engine. */
const SCOPE = 'local'

/**
 * Whether `event` passes: for every key at least one value must match; of `label` all must. Keys nobody knows are ignored, as Docker does.
 * Source: behaviour of moby's events filter, which clients rely on in its details (prefixes, image names without tag).
 */
export function matchesEvent(event: EngineEvent, filters: EventFilters): boolean {
  const { id, attributes } = event.actor
  const name = attributes['name'] ?? ''
  return (
    any(filters['type'], (value) => value === event.type) &&
    matchesAction(event.action, filters['event']) &&
    any(filters['scope'], (value) => value === SCOPE) &&
    ACTOR_KEYS.every((key) => any(filters[key], (value) => id.startsWith(value) || name.startsWith(value))) &&
    matchesImage(event, filters['image']) &&
    (filters['label'] ?? []).every((label) => matchesLabel(attributes, label))
  )
}

function any(values: string[] | undefined, matches: (value: string) => boolean): boolean {
  return values === undefined || values.length === 0 || values.some(matches)
}

function matchesAction(action: string, values: string[] | undefined): boolean {
  const byPrefix = values?.some((value) => ACTIONS_WITH_DETAIL.includes(value)) === true
  return any(values, (value) => value === action || (byPrefix && action.startsWith(value)))
}

/** Image events by their id or name, events of containers by the image they were made from; with and without the tag. */
function matchesImage(event: EngineEvent, values: string[] | undefined): boolean {
  if (values === undefined) return true
  const { id, attributes } = event.actor
  const image = attributes[event.type === 'image' ? 'name' : 'image'] ?? ''
  const candidates = [id, image, withoutTag(id), withoutTag(image)]
  return any(values, (value) => candidates.includes(value))
}

function matchesLabel(attributes: Record<string, string>, label: string): boolean {
  const equals = label.indexOf('=')
  const key = equals < 0 ? label : label.slice(0, equals)
  return Object.hasOwn(attributes, key) && (equals < 0 || attributes[key] === label.slice(equals + 1))
}

/** `docker.io/library/alpine:3` → `alpine`. An id, or anything else that is not a reference, stays as it is. */
function withoutTag(image: string): string {
  try {
    return familiarName(parseReference(image))
  } catch {
    return image
  }
}
