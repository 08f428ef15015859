import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { BuildkitDoorDeps } from '../buildkit-door.ts'
import { memoryRows } from './memory-rows.ts'

/** Gives empty places for histories, which last until the tests of the file end. */
export function historyPlaces(): () => BuildkitDoorDeps['history'] {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-history-'))
  after(() => rmSync(directory, { recursive: true }))
  return () => ({ rows: memoryRows(), directory, report: assert.ifError })
}
