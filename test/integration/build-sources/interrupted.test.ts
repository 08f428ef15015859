/** The daemon is killed while a directory comes: what is kept of it is never taken for what it is not. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, ROOT } from '../../harness/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const DOCKERFILE = 'FROM starter\nCOPY files /files\nRUN cd /files && find . -type f | sort | xargs cat | sha256sum > /result\n'
const FILES = 600

/** Writes the files; gives the digest of all. Every second one has another content in each round. */
function write(directory: string, round: number): string {
  const hash = createHash('sha256')
  for (let index = 0; index < FILES; index++) {
    const text = `${index % 2 === 0 ? round : 0} ${index}\n`
    writeFileSync(join(directory, 'files', String(index).padStart(5, '0')), text)
    hash.update(text)
  }
  return hash.digest('hex')
}

function received(engine: Engine): number {
  const contexts = join(engine.dataRoot, 'build/contexts')
  try {
    return readdirSync(contexts, { recursive: true }).length
  } catch {
    return 0 // not made yet, or just on its way out
  }
}

describe('a transfer that the daemon does not survive', { skip }, () => {
  it('leaves nothing wrong for the next one', async () => {
    await using engine = await Engine.start()
    engine.loadStarter()
    const directory = mkdtempSync(join(tmpdir(), 'interrupted-'))
    mkdirSync(join(directory, 'files'))
    writeFileSync(join(directory, 'Dockerfile'), DOCKERFILE)
    try {
      for (let round = 0; round < 2; round++) {
        const before = received(engine)
        const digest = write(directory, round)
        const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: join(engine.directory, 'docker-config') }
        const client = spawn(join(ROOT, 'bin/gantry'), ['build', directory], { env, stdio: 'ignore' })
        const ended = once(client, 'exit')
        // The first time in the middle of new files, later among files that take the place of others.
        for (let wait = 0; wait < 1000 && (round === 0 ? received(engine) < before + 100 : wait < 20 * round); wait++) await sleep(5)
        await engine.stopDaemon('SIGKILL')
        await ended
        await engine.startDaemon()
        const built = engine.gantry(['build', '-q', '-t', 'built', directory])
        assert.equal(built.status, 0, built.stderr)
        assert.equal(engine.mustDocker('run', '--rm', 'built', 'cut', '-d', ' ', '-f', '1', '/result'), digest)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
