import type { Readable } from 'node:stream'
import { FrameReader } from '#lib'

/** Bytes of one stream that a step may write before the rest is dropped. BuildKit's limit. */
const MAX_LOG_BYTES = 2 * 1024 * 1024

export type WriteLog = (stream: 1 | 2, data: Uint8Array) => void

/** Carries a task's output to the log until it ends. The program never waits: what nobody reads in time is the log's to drop. `stream`: as `Task.attach` gives it. */
export async function carryOutput(stream: Readable, log: WriteLog): Promise<void> {
  const write = clipped(log)
  const frames = new FrameReader((source, data) => write(source === 2 ? 2 : 1, data))
  for await (const chunk of stream) frames.write(chunk as Buffer)
}

/** A log that says so when it takes no more: a step that prints without end must not fill the memory of all who watch it. */
export function clipped(log: WriteLog, limit: number = MAX_LOG_BYTES): WriteLog {
  const written = { 1: 0, 2: 0 }
  return (stream, data) => {
    const room = limit - written[stream]
    if (room < 0) return
    written[stream] += data.length
    if (data.length <= room) return log(stream, data)
    if (room > 0) log(stream, data.subarray(0, room))
    log(stream, Buffer.from(`\n[output clipped, log limit ${limit / 1024 / 1024}MiB reached]\n`))
    written[stream] = Infinity
  }
}
