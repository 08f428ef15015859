/** What a build tells a client, decoded from BuildKit's StatusResponse. Times are milliseconds since the epoch, with fraction. */

export interface VertexUpdate {
  digest: string
  inputs: readonly string[]
  name: string
  cached: boolean
  started?: number
  completed?: number
  /** Empty: none. */
  error: string
}

/** Progress of one thing within a vertex. */
export interface StatusUpdate {
  vertex: string
  id: string
  name: string
  current: number
  /** 0: not known. */
  total: number
  started?: number
  completed?: number
}

export interface LogUpdate {
  vertex: string
  /** 1: standard output, 2: standard error. */
  stream: number
  data: Uint8Array
  timestamp: number
}

export interface WarningUpdate {
  vertex: string
  level: number
  short: string
  detail: readonly string[]
  url: string
  /** Where in which file; empty: nowhere. */
  place: string
}

export interface BuildUpdate {
  vertexes: readonly VertexUpdate[]
  statuses: readonly StatusUpdate[]
  logs: readonly LogUpdate[]
  warnings: readonly WarningUpdate[]
}
