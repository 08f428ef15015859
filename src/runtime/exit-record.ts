import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_RECORD } from './protocol.ts'
import type { MessageFields } from './protocol.ts'
import type { Exit } from './types.ts'

/** Nanoseconds since the epoch as the record and the messages carry them, to milliseconds with fraction. */
export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1000
}

export function exitOf({ exitCode, signal, oomKilled, finishedAt }: MessageFields<'exited'>): Exit {
  return { exitCode, oomKilled: oomKilled !== 0, finishedAt: milliseconds(finishedAt), ...(signal !== 0 && { signal }) }
}

/** The record a monitor leaves behind; undefined when there is none or it is not one of ours. */
export async function readExitRecord(stateDir: string): Promise<Exit | undefined> {
  let text: string
  try {
    text = await readFile(join(stateDir, EXIT_RECORD), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const record = JSON.parse(text) as { exitCode: number; signal: number; oomKilled: boolean; finishedAt: string }
  const { exitCode, signal, oomKilled } = record
  return { exitCode, oomKilled, finishedAt: milliseconds(BigInt(record.finishedAt)), ...(signal !== 0 && { signal }) }
}
