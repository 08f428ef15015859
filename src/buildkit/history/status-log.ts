import type { BuildEvent } from '#build'
import { EngineError } from '#errors'
import { control, create, fromBinary, toBinary } from '#grpc'
import { statusResponses } from '../status-response.ts'

/** What was said in a build, as one blob: messages, each behind its length. Source: moby/buildkit solver/llbsolver/history. */
export const LOG_TYPE = 'application/vnd.buildkit.status.v0'

/** Bytes of a length: little-endian, 32 bits. */
const HEADER = 4

export function encodeLog(events: readonly BuildEvent[]): Buffer {
  const parts: Uint8Array[] = []
  for (const response of statusResponses(events)) {
    const message = toBinary(control.StatusResponseSchema, create(control.StatusResponseSchema, response))
    const header = Buffer.alloc(HEADER)
    header.writeUInt32LE(message.length)
    parts.push(header, message)
  }
  return Buffer.concat(parts)
}

/** Throws DATA_LOSS. */
export function* decodeLog(log: Buffer): Generator<control.StatusResponse> {
  for (let at = 0; at < log.length;) {
    const start = at + HEADER
    const end = start + (start <= log.length ? log.readUInt32LE(at) : Infinity)
    if (end > log.length) throw new EngineError('DATA_LOSS', 'the log of the build is damaged')
    yield fromBinary(control.StatusResponseSchema, log.subarray(start, end))
    at = end
  }
}
