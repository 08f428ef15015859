/** Output, errors and statuses equal to the docker CLI's, byte for byte, on the same (fake) engine. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startFakeEngine, type FakeEngine } from './fake-engine.ts'
import { docker, dockerMissing, gantry, words, type Outcome } from './program.ts'

const lines = readFileSync(join(import.meta.dirname, 'testdata/compare.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))

describe('the docker CLI and ours print the same', { skip: dockerMissing() ?? false, concurrency: 4 }, () => {
  let engine: FakeEngine
  before(async () => {
    engine = await startFakeEngine({
      output: [
        [1, 'out\n'],
        [2, 'err\n'],
      ],
    })
  })
  after(() => engine[Symbol.asyncDispose]())

  /** Each call has a configuration and a working directory of its own: some write to them. */
  async function outcome(run: typeof docker, line: string): Promise<Outcome> {
    const directory = mkdtempSync(join(tmpdir(), 'compare-'))
    try {
      const result = await run(words(line), { env: { DOCKER_HOST: engine.host, DOCKER_CONFIG: join(directory, 'config') }, cwd: directory })
      const neutral = (text: string): string => text.replaceAll(directory, '/tmp/compare-XXXXXX')
      return { ...result, stdout: neutral(result.stdout), stderr: neutral(result.stderr) }
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  for (const line of lines) {
    it(line, async () => {
      const [expected, actual] = await Promise.all([outcome(docker, line), outcome(gantry, line)])
      assert.deepEqual(actual, expected)
    })
  }
})
