import type { BuildUpdate } from '#client'
import type { control } from '#grpc'

type Timestamp = { seconds: bigint; nanos: number }

/** A message of the status stream, as displays take it. */
export function decodeStatus({ vertexes, statuses, logs, warnings }: control.StatusResponse): BuildUpdate {
  return {
    vertexes: vertexes.map(({ digest, inputs, name, cached, started, completed, error }) => ({
      digest,
      inputs,
      name,
      cached,
      error,
      ...time('started', started),
      ...time('completed', completed),
    })),
    statuses: statuses.map(({ id, vertex, name, current, total, started, completed }) => ({
      id,
      vertex,
      name,
      current: Number(current),
      total: Number(total),
      ...time('started', started),
      ...time('completed', completed),
    })),
    logs: logs.map(({ vertex, stream, msg, timestamp }) => ({
      vertex,
      stream: Number(stream),
      data: msg,
      timestamp: milliseconds(timestamp) ?? 0,
    })),
    warnings: warnings.map(({ vertex, level, short, detail, url, info, ranges }) => ({
      vertex,
      level: Number(level),
      short: Buffer.from(short).toString(),
      detail: detail.map((line) => Buffer.from(line).toString()),
      url,
      place: info === undefined || ranges[0]?.start === undefined ? '' : `${info.filename}:${ranges[0].start.line}`,
    })),
  }
}

function time<Name extends string>(name: Name, timestamp: Timestamp | undefined): { [Key in Name]?: number } {
  const value = milliseconds(timestamp)
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: number }
}

function milliseconds(timestamp: Timestamp | undefined): number | undefined {
  return timestamp === undefined ? undefined : Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6
}
