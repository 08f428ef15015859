import { MAX_AGENT_MESSAGE } from './agent.ts'
import { string } from './wire.ts'

/** Each message comes after its length. Throws Error for one that is longer than any may be. */
export async function* messagesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of source) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 4) {
      const end = 4 + bytes.readUInt32BE(0)
      if (end > 4 + MAX_AGENT_MESSAGE) throw new Error('a message to or from the SSH agent is too long')
      if (bytes.length < end) break
      yield bytes.subarray(4, end)
      bytes = bytes.subarray(end)
    }
  }
}

/** With its length in front. */
export function framed(message: Buffer): Buffer {
  return string(message)
}
