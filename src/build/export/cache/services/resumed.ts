import { codeOf } from '#errors'

/** Times that a download is gone on with. */
const ATTEMPTS = 3

/** Reads on where a connection broke; `open` begins at a byte. What is refused, or was given up, is not asked for again. */
export async function* resumed(
  open: (offset: number) => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  let offset = 0
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const chunk of open(offset)) {
        offset += chunk.length
        yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      if (attempt === ATTEMPTS || codeOf(error) === 'NOT_FOUND' || codeOf(error) === 'FORBIDDEN') throw error
    }
  }
}
