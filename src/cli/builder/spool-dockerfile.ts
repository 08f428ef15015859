import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PIPED_DOCKERFILE } from './build-context.ts'

/** A directory with nothing in it but the Dockerfile that `source` gives; gone when disposed. */
export async function spoolDockerfile(source: AsyncIterable<Uint8Array>): Promise<Disposable & { path: string }> {
  using undo = new DisposableStack()
  const path = undo.adopt(mkdtempSync(join(tmpdir(), 'gantry-dockerfile-')), (directory) =>
    rmSync(directory, { recursive: true, force: true }),
  )
  await writeFile(join(path, PIPED_DOCKERFILE), source)
  const kept = undo.move()
  return { path, [Symbol.dispose]: () => kept.dispose() }
}
