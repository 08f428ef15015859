import type { BuildEvent, LogEvent, StatusEvent, VertexEvent, WarningEvent } from '#build'
import { control, create, toBinary, type MessageInitShape } from '#grpc'

type Response = MessageInitShape<typeof control.StatusResponseSchema>
type Timestamp = { seconds: bigint; nanos: number }

/** Bytes of output in one message. */
const MAX_OUTPUT = 1 << 20

/** What happened in a build, as BuildKit tells it: in several messages when a lot was written. */
export function* statusResponses(events: readonly BuildEvent[]): Generator<Response> {
  let batch = emptyResponse()
  let output = 0
  for (const event of events) {
    add(batch, event)
    output += event.kind === 'log' ? event.data.length : 0
    if (output < MAX_OUTPUT) continue
    yield batch
    batch = emptyResponse()
    output = 0
  }
  yield batch
}

/** All of `events` in one message, encoded: for `POST /build?version=2`, which carries it as base64. */
export function encodeTrace(events: readonly BuildEvent[]): Uint8Array {
  const response = emptyResponse()
  for (const event of events) add(response, event)
  return toBinary(control.StatusResponseSchema, create(control.StatusResponseSchema, response))
}

/** Milliseconds since the epoch, with fraction. */
export function timestamp(milliseconds: number): Timestamp {
  const seconds = Math.floor(milliseconds / 1000)
  return { seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1000) * 1e6) }
}

type VertexInit = MessageInitShape<typeof control.VertexSchema>
type StatusInit = MessageInitShape<typeof control.VertexStatusSchema>
type LogInit = MessageInitShape<typeof control.VertexLogSchema>
type WarningInit = MessageInitShape<typeof control.VertexWarningSchema>

interface Batch {
  vertexes: VertexInit[]
  statuses: StatusInit[]
  logs: LogInit[]
  warnings: WarningInit[]
}

function emptyResponse(): Batch {
  return { vertexes: [], statuses: [], logs: [], warnings: [] }
}

function add(batch: Batch, event: BuildEvent): void {
  switch (event.kind) {
    case 'vertex':
      return void batch.vertexes.push(vertexMessage(event))
    case 'status':
      return void batch.statuses.push(statusMessage(event))
    case 'log':
      return void batch.logs.push(logMessage(event))
    case 'warning':
      return void batch.warnings.push(warningMessage(event))
  }
}

function times({ started, completed }: { started?: number; completed?: number }): { started?: Timestamp; completed?: Timestamp } {
  return {
    ...(started !== undefined && { started: timestamp(started) }),
    ...(completed !== undefined && { completed: timestamp(completed) }),
  }
}

function vertexMessage(event: VertexEvent): VertexInit {
  const { id, inputs, name, cached, error = '', progressGroup } = event
  return { digest: id, inputs: [...inputs], name, cached, error, ...times(event), ...(progressGroup !== undefined && { progressGroup }) }
}

function statusMessage(event: StatusEvent): StatusInit {
  const { id, vertex, name, current, total } = event
  const counts = { current: BigInt(Math.round(current)), total: BigInt(Math.round(total)) }
  return { id, vertex, name, ...counts, timestamp: timestamp(event.timestamp), ...times(event) }
}

function logMessage({ vertex, stream, data, timestamp: time }: LogEvent): LogInit {
  return { vertex, stream: BigInt(stream), msg: data, timestamp: timestamp(time) }
}

function warningMessage({ vertex, level, short, detail, url, source }: WarningEvent): WarningInit {
  return {
    vertex,
    level: BigInt(level),
    short: Buffer.from(short),
    detail: detail.map((line) => Buffer.from(line)),
    url,
    ...(source !== undefined && {
      info: { filename: source.name, data: Buffer.from(source.text), language: 'Dockerfile' },
      ranges: source.ranges.map(({ start, end }) => ({ start: { line: start }, end: { line: end } })),
    }),
  }
}
