/** Contracts of `events/`. The manual is in `index.ts`. */

export type EventType = 'container' | 'image' | 'volume' | 'network' | 'daemon' | 'builder'

export interface EngineEvent {
  type: EventType
  /** Docker's words: `create`, `start`, `die`, `exec_start: sh -c x`, `health_status: healthy` … */
  action: string
  actor: { id: string; attributes: Record<string, string> }
  /** Nanoseconds since the epoch. */
  timeNano: bigint
}

/** Keys as the API has them: container, image, event, type, label, network, volume, daemon, scope. Same key: any; different keys: all. */
export type EventFilters = Record<string, string[]>

export interface EventBus {
  publish(type: EventType, action: string, id: string, attributes: Record<string, string>): void
  /** Past events (at most 256 are kept) since/until, then live ones until `until` or abort. A reader more than 4,096 events behind is dropped. */
  subscribe(options: { since?: bigint; until?: bigint; filters: EventFilters; signal?: AbortSignal }): AsyncIterable<EngineEvent>
  subscribers(): number
}
