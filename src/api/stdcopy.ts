/**
 * Docker's multiplexed stream: stdout and stderr of a container without tty over one connection.
 *
 * ```
 *  0        1        2        3        4        5        6        7        8 …
 * ┌────────┬────────┬────────┬────────┬────────┬────────┬────────┬────────┬─────────
 * │ stream │   0    │   0    │   0    │     payload length, big-endian     │ payload
 * └────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┴─────────
 * ```
 *
 * Used by attach, exec start and logs. Source: Engine API, `POST /containers/{id}/attach`, "Stream format".
 */

import { FrameReader } from '#lib'

export const FRAME_HEADER_SIZE = 8

/** 0 stdin, 1 stdout, 2 stderr, 3 an error of the daemon itself. */
export const STREAM_IDS = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const
export type StreamName = keyof typeof STREAM_IDS

const STREAM_NAMES: readonly StreamName[] = ['stdin', 'stdout', 'stderr', 'systemError']

/** The eight bytes in front of `length` bytes of payload. */
export function frameHeader(stream: StreamName, length: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_SIZE)
  header[0] = STREAM_IDS[stream]
  header.writeUInt32BE(length, 4)
  return header
}

/** Header and payload in one buffer; copies, so it is meant for short messages. */
export function encodeFrame(stream: StreamName, payload: Buffer | string): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  return Buffer.concat([frameHeader(stream, bytes.length), bytes])
}

/**
 * Takes a multiplexed stream apart. Feed it chunks as they come, cut anywhere; each piece of payload is handed to `sink` without being
 * copied or gathered, so a frame may arrive as several pieces.
 */
export class FrameDecoder {
  readonly #reader: FrameReader

  constructor(sink: (stream: StreamName, payload: Buffer) => void) {
    this.#reader = new FrameReader((id, payload) => sink(streamName(id), payload))
  }

  /** Throws RangeError for an unknown stream id: the bytes are then not a multiplexed stream at all, or out of step. */
  write(chunk: Buffer): void {
    this.#reader.write(chunk)
  }

  /** Whether the stream may end here: not inside a header or a payload. */
  get complete(): boolean {
    return this.#reader.isComplete
  }
}

function streamName(id: number): StreamName {
  const name = STREAM_NAMES[id]
  if (name === undefined) throw new RangeError(`Unrecognized stream id in a multiplexed stream: ${id}`)
  return name
}
