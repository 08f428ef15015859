import { MAX_AGENT_MESSAGE } from './agent.ts'
import { string } from './wire.ts'

/** Bytes of the length in front of each message. */
const HEADER = 4

/**
 * Each message comes after its length. Throws Error for one that is longer than any may be. Attack: a step that writes a long message byte by byte; what has come is
 * put together only when there is enough of it.
 */
export async function* messagesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = []
  let length = 0
  let wanted = HEADER
  for await (const chunk of source) {
    held.push(chunk)
    length += chunk.length
    if (length < wanted) continue
    let bytes = Buffer.concat(held)
    for (wanted = HEADER; bytes.length >= wanted; wanted = HEADER) {
      const end = HEADER + bytes.readUInt32BE(0)
      if (end > HEADER + MAX_AGENT_MESSAGE) throw new Error('a message to or from the SSH agent is too long')
      wanted = end
      if (bytes.length < end) break
      yield bytes.subarray(HEADER, end)
      bytes = bytes.subarray(end)
    }
    held = [bytes]
    length = bytes.length
  }
}

export function framed(message: Buffer): Buffer {
  return string(message)
}
