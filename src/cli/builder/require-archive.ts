import { createTarDecoder, detectCompression } from '#archive'

/** Bytes that tell an archive from a Dockerfile. */
const HEADER = 512

/**
 * What `input` gives, when that is an archive. A Dockerfile from standard input would be another one than `--file` names, which only an archive can hold. Throws
 * Error with buildx's text.
 */
export async function requireArchive(input: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = input[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  for (let length = 0; length < HEADER;) {
    const { done, value } = await iterator.next()
    if (done === true) break
    first.push(value)
    length += value.length
  }
  if (!isArchive(Buffer.concat(first))) throw new Error('ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles')
  return (async function* () {
    yield* first
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  })()
}

function isArchive(start: Buffer): boolean {
  if (detectCompression(start) !== 'none') return true
  if (start.length < HEADER) return false
  try {
    createTarDecoder().push(start.subarray(0, HEADER)).next()
    return true
  } catch {
    return false
  }
}
