const FULL = 256 * 1024

/** The same bytes in chunks worth sending: a system call per header would cost more than the header. Large chunks are passed on as they are. */
export async function* batched(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let pieces: Buffer[] = []
  let length = 0

  function* take(): Generator<Buffer, void, void> {
    if (length > 0) yield Buffer.concat(pieces, length)
    pieces = []
    length = 0
  }

  for await (const chunk of source) {
    if (chunk.length >= FULL) {
      yield* take()
      yield chunk
      continue
    }
    pieces.push(chunk)
    length += chunk.length
    if (length >= FULL) yield* take()
  }
  yield* take()
}
