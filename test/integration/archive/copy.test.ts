/** `docker cp` on real containers: mounts, read-only places, and containers that fight back. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
before(() => engine.loadStarter())
const scratch = mkdtempSync(join(tmpdir(), 'gantry-copy-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const put = (container: string, path: string, body: Buffer) =>
  engine.request('PUT', `/containers/${container}/archive?path=${encodeURIComponent(path)}`, body, { 'Content-Type': 'application/x-tar' })

function cp(from: string, to: string): void {
  const { status, stderr } = engine.docker(['cp', from, to])
  assert.equal(status, 0, stderr)
}

test('docker cp moves trees both ways, into names that exist and names that do not', () => {
  const source = join(scratch, 'tree')
  mkdirSync(join(source, 'sub'), { recursive: true })
  writeFileSync(join(source, 'sub/file'), 'content')
  engine.mustDocker('run', '-d', '--name', 'trees', 'starter', 'sleep', '1000')
  cp(source, 'trees:/new')
  cp(source, 'trees:/tmp')
  cp(`${source}/.`, 'trees:/home')
  cp(join(source, 'sub/file'), 'trees:/tmp/renamed')
  const listed = engine.mustDocker('exec', 'trees', 'cat', '/new/sub/file', '/tmp/tree/sub/file', '/home/sub/file', '/tmp/renamed')
  assert.equal(listed, 'content'.repeat(4))
  engine.mustDocker('exec', 'trees', 'ln', '-s', '/new/sub', '/link')
  cp('trees:/new', join(scratch, 'out'))
  cp('trees:/link/file', join(scratch, 'through-link'))
  cp('trees:/', join(scratch, 'whole'))
  assert.equal(readFileSync(join(scratch, 'out/sub/file'), 'utf8'), 'content')
  assert.equal(readFileSync(join(scratch, 'through-link'), 'utf8'), 'content')
  assert.equal(readFileSync(join(scratch, 'whole/new/sub/file'), 'utf8'), 'content')
  assert.deepEqual(readdirSync(join(scratch, 'whole/proc')), [], 'what the kernel shows is no file of the container')
})

test('copies reach volumes of running and stopped containers', () => {
  engine.mustDocker('create', '--name', 'volumes', '-v', 'kept:/data', 'starter', 'sleep', '1000')
  writeFileSync(join(scratch, 'a'), 'in the volume')
  cp(join(scratch, 'a'), 'volumes:/data/stopped')
  engine.mustDocker('start', 'volumes')
  cp(join(scratch, 'a'), 'volumes:/data/running')
  assert.equal(engine.mustDocker('run', '--rm', '-v', 'kept:/v', 'starter', 'ls', '/v'), 'running\nstopped')
})

test('read-only places are refused, volumes in them are not', async () => {
  engine.mustDocker(
    'run',
    '-d',
    '--name',
    'readonly',
    '--read-only',
    '-v',
    'rw:/rw',
    '-v',
    'ro:/ro:ro',
    '--tmpfs',
    '/tmp',
    'starter',
    'sleep',
    '1000',
  )
  const body = tar([{ name: 'f', data: Buffer.from('x') }])
  const answers = await Promise.all(['/', '/ro', '/rw', '/tmp'].map((path) => put('readonly', path, body)))
  assert.deepEqual(
    answers.map(({ status, json }) => [status, json?.message]),
    [
      [400, 'container rootfs is marked read-only'],
      [400, 'mounted volume is marked read-only'],
      [200, undefined],
      [200, undefined],
    ],
  )
})

test('what something is mounted on is not replaced', async () => {
  engine.mustDocker('run', '-d', '--name', 'mounted', '-v', 'precious:/dir/volume', 'starter', 'sleep', '1000')
  engine.mustDocker('exec', 'mounted', 'sh', '-c', 'echo kept > /dir/volume/file')
  const hosts = engine.mustDocker('exec', 'mounted', 'cat', '/etc/hosts')
  for (const [path, name] of [
    ['/etc', 'hosts'],
    ['/', 'dir'],
  ] as const) {
    const { status, json } = await put('mounted', path, tar([{ name, data: Buffer.from('replaced') }]))
    assert.equal(status, 500)
    assert.match(json.message, /device or resource busy/)
  }
  assert.equal(engine.mustDocker('exec', 'mounted', 'cat', '/etc/hosts'), hosts)
  assert.equal(engine.mustDocker('exec', 'mounted', 'cat', '/dir/volume/file'), 'kept')
})

test('a container that swaps directories for links leads no copy out of itself', async () => {
  const host = join(scratch, 'host')
  mkdirSync(host)
  writeFileSync(join(host, 'secret'), 'secret of the host')
  // A directory and a link to the host's path change places as fast as the container can.
  const swap = `mkdir -p /w/d ${host}; echo own > /w/d/secret; echo own > ${host}/secret; ln -s ${host} /w/l; while :; do mv /w/d /w/x; mv /w/l /w/d; mv /w/d /w/l; mv /w/x /w/d; done`
  engine.mustDocker('run', '-d', '--name', 'hostile', 'starter', 'sh', '-c', swap)
  const body = tar([
    { name: 'd/planted', data: Buffer.from('x') },
    { name: 'd/secret', data: Buffer.from('own') },
  ])
  for (let round = 0; round < 150; round++) {
    // What answers does not matter: a name may be gone at any moment.
    await put('hostile', '/w', body)
    const { text } = await engine.request('GET', '/containers/hostile/archive?path=/w')
    assert.doesNotMatch(text, /secret of the host/)
    await engine.request('GET', '/containers/hostile/archive?path=/w/d/secret')
  }
  assert.deepEqual(readdirSync(host), ['secret'])
  assert.equal(readFileSync(join(host, 'secret'), 'utf8'), 'secret of the host')
})

test('a copy of 100 MB is exact', () => {
  const file = join(scratch, 'big')
  spawnSync('sh', ['-c', `head -c 104857600 /dev/urandom > ${file}`])
  cp(file, 'trees:/big')
  cp('trees:/big', `${file}.back`)
  assert.equal(spawnSync('cmp', [file, `${file}.back`]).status, 0)
})

test('user and group of the container own what is copied with -a', () => {
  engine.mustDocker('run', '-d', '--name', 'owned', '--user', 'www-data', 'starter', 'sleep', '1000')
  writeFileSync(join(scratch, 'mine'), 'x')
  engine.mustDocker('cp', '-a', join(scratch, 'mine'), 'owned:/tmp/archived')
  assert.equal(engine.mustDocker('exec', 'owned', 'stat', '-c', '%u:%g', '/tmp/archived'), '33:33')
})
