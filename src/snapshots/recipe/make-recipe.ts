import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { decompress } from '#archive'
import type { Files } from '#kernel'
import { writeRecipe } from './write-recipe.ts'

/** Writes the recipe of the layer in `blob` and `directory` to `target`, whole and synced or not at all. Returns its bytes. Throws the reason of `signal`. */
export async function makeRecipe(
  files: Files,
  { blob, directory, target }: { blob: string; directory: string; target: string },
  signal: AbortSignal | undefined,
): Promise<number> {
  const temporary = `${target}.new`
  await rm(temporary, { force: true }) // of a daemon that was killed
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(temporary, { force: true }))
  await writeRecipe(files, blobTar(blob, signal), directory, temporary)
  await rename(temporary, target)
  undo.move()
  // The blob is given up for it: its name, too, must survive a loss of power.
  await using parent = await open(dirname(target), 'r')
  await parent.sync()
  return (await stat(target)).size
}

async function* blobTar(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, void> {
  const { chunks } = await decompress(createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Buffer>)
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    yield chunk
  }
}
