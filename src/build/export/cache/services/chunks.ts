/** Pieces of `size` bytes, the last one perhaps shorter: what is sent in one request, and can be sent again. Nothing gives one empty piece. */
export async function* chunks(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer, void, void> {
  let pieces: Uint8Array[] = []
  let length = 0
  let isEmpty = true
  for await (const piece of content) {
    pieces.push(piece)
    length += piece.length
    while (length >= size) {
      const whole = Buffer.concat(pieces, length)
      isEmpty = false
      yield whole.subarray(0, size)
      pieces = [whole.subarray(size)]
      length -= size
    }
  }
  if (length > 0 || isEmpty) yield Buffer.concat(pieces, length)
}
