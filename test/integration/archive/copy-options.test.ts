/** `docker cp` and our own: links, streams, and the answers of HEAD. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
const scratch = mkdtempSync(join(tmpdir(), 'gantry-cp-'))
after(() => rmSync(scratch, { recursive: true, force: true }))
before(async () => {
  engine.loadStarter()
  engine.mustDocker('run', '-d', '--name', 'box', 'starter', 'sh', '-c', 'mkdir /d; echo inside > /d/file; ln -s file /d/link; sleep 1000')
  await eventually(() => engine.mustDocker('exec', 'box', 'test', '-L', '/d/link'))
  writeFileSync(join(scratch, 'file'), 'outside')
  symlinkSync('file', join(scratch, 'link'))
})

for (const client of ['docker', 'gantry'] as const) {
  describe(`cp by ${client}`, () => {
    const cp = (...args: string[]) => engine[client](['cp', ...args])
    const out = join(scratch, client)
    before(() => mkdirSync(out))

    test('a link is copied as a link, and followed with -L', () => {
      assert.equal(cp('box:/d/link', join(out, 'as-link')).status, 0)
      assert.ok(lstatSync(join(out, 'as-link')).isSymbolicLink())
      assert.equal(cp('-L', 'box:/d/link', join(out, 'followed')).status, 0)
      assert.equal(readFileSync(join(out, 'followed'), 'utf8'), 'inside\n')
      assert.equal(cp(join(scratch, 'link'), `box:/${client}-link`).status, 0)
      assert.equal(cp('-L', join(scratch, 'link'), `box:/${client}-file`).status, 0)
      assert.equal(engine.mustDocker('exec', 'box', 'readlink', `/${client}-link`), 'file')
      assert.equal(engine.mustDocker('exec', 'box', 'cat', `/${client}-file`), 'outside')
    })

    test('a dash is an archive on the standard streams', () => {
      const archive = cp('box:/d', '-')
      assert.equal(archive.status, 0)
      const listed = spawnSync('tar', ['-t'], { input: archive.stdout, encoding: 'utf8' })
      assert.deepEqual(listed.stdout.split('\n').toSorted().filter(Boolean), ['d/', 'd/file', 'd/link'])
      const made = spawnSync('tar', ['-c', '-C', scratch, 'file'], { encoding: 'utf8' })
      assert.equal(engine[client](['cp', '-', 'box:/tmp'], { input: made.stdout }).status, 0)
      assert.equal(engine.mustDocker('exec', 'box', 'cat', '/tmp/file'), 'outside')
    })

    test('what is missing or of the wrong kind is told as docker tells it', () => {
      assert.match(cp('box:/nothing', out).stderr, /Could not find the file \/nothing in container box/)
      assert.match(cp(join(scratch, 'file'), 'box:/none/').stderr, /Could not find the file \/none\/? in container box|no such directory/)
      assert.match(cp(scratch, 'box:/d/file').stderr, /cannot copy directory|not a directory/)
      assert.notEqual(cp('box:/d', 'box:/e').status, 0)
    })
  })
}

test('HEAD tells what a path is, with the place that a link leads to', async () => {
  const stat = async (path: string): Promise<Record<string, unknown>> => {
    const { headers, status } = await engine.request('HEAD', `/containers/box/archive?path=${path}`)
    assert.equal(status, 200)
    return JSON.parse(Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString())
  }
  const file = await stat('/d/file')
  assert.deepEqual([file['name'], file['size'], file['linkTarget']], ['file', 7, ''])
  assert.equal((await stat('/d/link'))['linkTarget'], '/d/file')
  assert.equal((Number((await stat('/d'))['mode']) & 0x80000000) !== 0, true)
  assert.equal((await engine.request('HEAD', '/containers/box/archive?path=/none')).status, 404)
})
