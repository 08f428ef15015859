import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { buildExample } from './testing/example.ts'

const FOLDER = join(import.meta.dirname, 'testdata')

/** Each `testdata/<name>.in` gives `<name>.out`; `node --test --test-update-snapshots` writes them anew, and the difference is to be read. */
describe('solveDockerfile', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.in'))) {
    const name = file.slice(0, -'.in'.length)
    const text = readFileSync(join(FOLDER, file), 'utf8')
    test(`${name}: ${text.split('\n', 1)[0]}`, async (t) => {
      t.assert.fileSnapshot(await buildExample(text), join(FOLDER, `${name}.out`), { serializers: [(value) => value as string] })
    })
  }
})
