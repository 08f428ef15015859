import type { TarDecoder } from './tar-decoder.ts'
import { createTarDecoder } from './tar-decoder.ts'
import type { TarEntry, TarEvent, TarLimits } from './types.ts'

/** An entry with its data still to come. */
export interface StreamedEntry {
  entry: TarEntry
  /** The data of a file with holes filled in; what is not read is skipped when the next entry is asked for. Read it before that. */
  body: AsyncGenerator<Buffer, void, void>
}

/** Zeros are produced in pieces of this size, so that a hole of terabytes costs no memory. */
const ZEROS: Buffer = Buffer.alloc(64 * 1024)

/**
 * Entries of an archive one after the other, for consumers that wait between chunks; who writes to a disk uses the decoder itself. Reads
 * `source` to its end. Throws INVALID_ARGUMENT on malformed or truncated input.
 */
export async function* readTar(source: AsyncIterable<Buffer>, limits?: TarLimits): AsyncGenerator<StreamedEntry, void, void> {
  await using events = decode(source, createTarDecoder(limits))
  // Not `for await`: an entry's body takes its events from the same generator.
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    if (next.value.kind === 'entry') yield { entry: next.value.entry, body: readBody(events, next.value.entry) }
  }
}

async function* decode(source: AsyncIterable<Buffer>, decoder: TarDecoder): AsyncGenerator<TarEvent, void, void> {
  for await (const chunk of source) yield* decoder.push(chunk)
  decoder.finish()
}

async function* readBody(events: AsyncGenerator<TarEvent, void, void>, entry: TarEntry): AsyncGenerator<Buffer, void, void> {
  let position = 0
  for (let next = await events.next(); next.done !== true && next.value.kind === 'data'; next = await events.next()) {
    yield* zeros(next.value.offset - position)
    yield next.value.bytes
    position = next.value.offset + next.value.bytes.length
  }
  yield* zeros(entry.size - position)
}

function* zeros(count: number): Generator<Buffer, void, void> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left)
}
