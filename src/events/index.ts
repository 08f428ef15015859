/**
 * What happened in the engine, told to whoever asks: `docker events`, compose, monitoring.
 *
 * Lifecycle: one bus per daemon, made by `createEventBus`. Services `publish` after a change is recorded, never before, so that a reader who
 * reacts finds the new state. Publishing is synchronous and cannot fail. The last 256 events are kept in memory for `since`; a restart of
 * the daemon forgets them, as with Docker.
 *
 * Glossary: *actor*, the object it happened to, with its attributes (name, image, labels, `exitCode` …); *action*, Docker's verb; *filter*, the
 * API's `filters` parameter, decoded.
 *
 * ```ts
 * const events = createEventBus()
 * events.publish('container', 'start', id, { image: 'alpine', name: 'web' })
 * for await (const event of events.subscribe({ filters: { type: ['container'] }, signal })) write(event)
 * ```
 */

export { createEventBus } from './event-bus.ts'
export type { EngineEvent, EventBus, EventFilters, EventType } from './types.ts'
