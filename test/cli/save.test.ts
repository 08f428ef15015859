/** `gantry save -o` on an engine that stops in the middle of an archive. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { GANTRY } from './program.ts'
import { eventually } from '../harness/eventually.ts'

let directory: string
const engine = createServer((request, response) => {
  response.setHeader('Api-Version', '1.50')
  if (request.url?.includes('/images/get') === true) response.write('begin')
  else response.end('OK')
})

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-save-'))
  engine.listen(join(directory, 'api.sock'))
  await once(engine, 'listening')
})
after(() => {
  engine.closeAllConnections()
  engine.close()
  rmSync(directory, { recursive: true })
})

it('save leaves no half archive when it is interrupted, and the old one as it was', async () => {
  const out = join(directory, 'out')
  mkdirSync(out)
  writeFileSync(join(out, 'image.tar'), 'old')
  const env = { ...process.env, DOCKER_HOST: `unix://${directory}/api.sock`, DOCKER_CONFIG: directory }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const command = spawn(GANTRY, ['save', '-o', join(out, 'image.tar'), 'x'], { env, stdio: 'ignore' })
    const exited = once(command, 'exit')
    await eventually(() => assert.equal(readdirSync(out).length, 2, 'save begins'))
    command.kill(signal)
    assert.deepEqual(await exited, [null, signal])
    assert.deepEqual(readdirSync(out), ['image.tar'])
    assert.equal(readFileSync(join(out, 'image.tar'), 'utf8'), 'old')
  }
})
