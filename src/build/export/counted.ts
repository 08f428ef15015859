/** The same chunks; `count` hears of their bytes. */
export async function* counted<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  count: (bytes: number) => void,
): AsyncGenerator<T, void, void> {
  let bytes = 0
  for await (const chunk of chunks) {
    count((bytes += chunk.length))
    yield chunk
  }
}
