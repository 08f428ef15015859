import type { Readable } from 'node:stream'

/** Bytes of one stream that a step may write before the rest is dropped. BuildKit's limit. */
const MAX_LOG_BYTES = 2 * 1024 * 1024

/** Docker's frames: stream, three zeros, length of the payload. */
const FRAME_HEADER = 8

export type WriteLog = (stream: 1 | 2, data: Uint8Array) => void

/** Carries a task's output to the log until it ends. The program never waits: what nobody reads in time is the log's to drop. `stream`: as `Task.attach` gives it. */
export async function carryOutput(stream: Readable, log: WriteLog): Promise<void> {
  const frames = createFrameReader(clipped(log))
  for await (const chunk of stream) frames(chunk as Buffer)
}

/** Takes frames apart, however they are cut; payloads are handed on as they come, without waiting for the end of their frame. */
function createFrameReader(log: WriteLog): (chunk: Buffer) => void {
  const header = Buffer.alloc(FRAME_HEADER)
  let headerBytes = 0
  let remaining = 0
  return (chunk) => {
    let offset = 0
    while (offset < chunk.length) {
      if (remaining === 0) {
        const copied = chunk.copy(header, headerBytes, offset)
        headerBytes += copied
        offset += copied
        if (headerBytes < FRAME_HEADER) return
        headerBytes = 0
        remaining = header.readUInt32BE(4)
        continue
      }
      const end = Math.min(chunk.length, offset + remaining)
      log(header[0] === 2 ? 2 : 1, chunk.subarray(offset, end))
      remaining -= end - offset
      offset = end
    }
  }
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
