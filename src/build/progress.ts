/** What a build tells while it goes on. Times are milliseconds since the epoch, with fraction. */

import type { Digest } from '#oci'

export interface VertexEvent {
  readonly kind: 'vertex'
  readonly id: Digest
  readonly inputs: readonly Digest[]
  readonly name: string
  readonly cached: boolean
  readonly started?: number
  readonly completed?: number
  /** For people; empty or absent: it went well, or still goes on. */
  readonly error?: string
  readonly progressGroup?: { id: string; name: string; weak: boolean }
}

/** Progress of one thing within a vertex: bytes of a layer, files sent. */
export interface StatusEvent {
  readonly kind: 'status'
  readonly vertex: Digest
  /** Unique within the vertex: `sha256:…`, `transferring context:`, `exporting layers`. */
  readonly id: string
  readonly name: string
  readonly current: number
  /** 0: not known. */
  readonly total: number
  readonly timestamp: number
  readonly started?: number
  readonly completed?: number
}

export interface LogEvent {
  readonly kind: 'log'
  readonly vertex: Digest
  /** 1: standard output, 2: standard error. */
  readonly stream: 1 | 2
  readonly data: Uint8Array
  readonly timestamp: number
}

export interface WarningEvent {
  readonly kind: 'warning'
  readonly vertex: Digest
  readonly level: number
  readonly short: string
  readonly detail: readonly string[]
  readonly url: string
  readonly source?: { name: string; text: string; ranges: readonly { start: number; end: number }[] }
}

export type BuildEvent = VertexEvent | StatusEvent | LogEvent | WarningEvent

/** Where the events of one build go. A vertex is sent again, whole, at each change. */
export interface Progress {
  send(event: BuildEvent): void
}
