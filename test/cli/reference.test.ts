import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { reference, REFERENCE_PATH } from './reference.ts'

it('docs/generated/cli.md shows the command table as it is', async () => {
  assert.equal(await readFile(REFERENCE_PATH, 'utf8'), await reference(), 'run `node test/cli/write-reference.ts`')
})
