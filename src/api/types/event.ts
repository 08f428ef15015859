/** One message of `GET /events`. Source: Engine API 1.55, EventMessage. */
export interface EventMessage {
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  scope: string
  /** Unix seconds. */
  time: number
  timeNano: number
  /** The next three only before API 1.52. */
  status?: string
  id?: string
  from?: string
}
