import type { BodyStream } from '#client'
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Cli } from '../cli.ts'

/** Only the owner may read what is saved: images and file systems contain secrets. */
const FILE_MODE = 0o600
const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Writes a stream to a file, or to standard output for an empty path. The file appears under its name only when it is complete: a broken
 * transfer, and one that is interrupted, leaves what was there before, and nothing else. Throws Error that begins with `failure` when the path
 * cannot be written to.
 */
export async function saveToFile(cli: Cli, path: string, failure: string, open: () => Promise<BodyStream>): Promise<void> {
  if (path === '') {
    await (await open()).pipe((chunk) => cli.stdout.write(chunk))
    return
  }
  checkOutputPath(path, failure)
  const temporary = join(dirname(path), `.tmp-${basename(path)}${process.pid}`)
  const body = await open()
  const file = createWriteStream(temporary, { mode: FILE_MODE, flags: 'wx' })
  const failed = new Promise<never>((_, reject) => file.on('error', reject))
  failed.catch(() => {}) // seen through the race below
  const interrupt = (signal: NodeJS.Signals): void => {
    rmSync(temporary, { force: true })
    for (const name of INTERRUPTS) process.off(name, interrupt)
    process.kill(process.pid, signal) // now without a listener: the shell sees a program that a signal ended
  }
  for (const name of INTERRUPTS) process.on(name, interrupt)
  try {
    const piped = body.pipe((chunk) => {
      if (file.write(Buffer.from(chunk))) return undefined
      return new Promise<void>((resolve) => file.once('drain', resolve))
    })
    await Promise.race([piped, failed])
    await Promise.race([new Promise<void>((resolve) => file.end(resolve)), failed])
    renameSync(temporary, path)
  } catch (error) {
    body.abort()
    file.destroy()
    rmSync(temporary, { force: true })
    throw error
  } finally {
    for (const name of INTERRUPTS) process.off(name, interrupt)
  }
}

function checkOutputPath(path: string, failure: string): void {
  const directory = dirname(path)
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) {
    throw new Error(`${failure}: invalid output path: stat ${directory}: no such file or directory`)
  }
  const existing = statSync(path, { throwIfNoEntry: false })
  if (existing === undefined) return
  if (existing.isDirectory()) throw new Error(`${failure}: invalid output path: ${JSON.stringify(path)} must be a regular file`)
  if (existing.isCharacterDevice() || existing.isBlockDevice()) throw new Error(`${failure}: got a device`)
}
