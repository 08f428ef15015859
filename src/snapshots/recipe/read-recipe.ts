import { closeSync, createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress, crc32 } from 'node:zlib'
import { decodeName } from '#archive'
import { EngineError } from '#errors'
import type { Files } from '#kernel'
import { openRegular } from '../tree/open-regular.ts'
import { readExtents } from '../tree/read-file.ts'
import { createRecipeDecoder } from './recipe-format.ts'
import type { RecipePart } from './recipe-format.ts'

/**
 * The tar that the recipe at `path` describes, its data taken from the files in `directory`. `damaged` is told of each file that has other bytes than it
 * had (or too few, or is gone); zeros stand in for what is missing. Throws DATA_LOSS for a damaged recipe.
 */
export async function* readRecipe(
  files: Files,
  path: string,
  directory: string,
  damaged: (file: string) => void,
): AsyncGenerator<Buffer, void, void> {
  using source = createFileSource(files, directory)
  for await (const part of readParts(path)) {
    if (part.kind === 'raw') {
      yield part.bytes
      continue
    }
    let sum = 0
    for await (const bytes of source.read(part)) {
      sum = crc32(bytes, sum)
      yield bytes
    }
    if (sum !== part.crc32 || !source.isWhole(part)) damaged(part.path)
  }
}

async function* readParts(path: string): AsyncGenerator<RecipePart, void, void> {
  const decoder = createRecipeDecoder(decodeName)
  const inflater = createZstdDecompress({ chunkSize: 256 * 1024 })
  const feed = pipeline(createReadStream(path), inflater)
  feed.catch(() => {}) // comes out of the inflater
  try {
    for await (const chunk of inflater as AsyncIterable<Buffer>) yield* decoder.push(chunk)
    await feed
  } catch (error) {
    if (error instanceof EngineError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error
    throw new EngineError('DATA_LOSS', `Cannot read the recipe of a layer: ${(error as Error).message}`, { cause: error })
  } finally {
    inflater.destroy()
  }
  decoder.finish()
}

/** Reads stretches of files, each opened once for all of its stretches. */
function createFileSource(
  files: Files,
  directory: string,
): Disposable & {
  read: (part: RecipePart & { kind: 'data' }) => AsyncGenerator<Buffer, void, void>
  isWhole: (part: RecipePart & { kind: 'data' }) => boolean
} {
  const root = files.openRoot(directory)
  let current: { path: string; fd: number | undefined; size: number } | undefined

  function close(): void {
    if (current?.fd !== undefined) closeSync(current.fd)
    current = undefined
  }

  return {
    async *read({ path, offset, length }) {
      if (current?.path !== path) {
        close()
        const opened = openRegular(files, root.fd, path)
        current = { path, fd: opened?.fd, size: Number(opened?.stat.size ?? 0) }
      }
      if (current.fd !== undefined) yield* readExtents(current.fd, [{ offset, length }])
      else yield* zeros(length)
    },
    isWhole: ({ offset, length }) => current !== undefined && offset + length <= current.size,
    [Symbol.dispose]() {
      close()
      root[Symbol.dispose]()
    },
  }
}

const ZEROS: Buffer = Buffer.alloc(64 * 1024)

function* zeros(count: number): Generator<Buffer, void, void> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left)
}
