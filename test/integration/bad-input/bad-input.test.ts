/** Bad input gets a clear error with Docker's status and leaves nothing behind (the engine's disposal checks for leaks). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { Engine, eventually, type Reply } from '../../harness/index.ts'
import { tar, type TarEntry } from '../../harness/tar.ts'

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})

after(() => engine[Symbol.asyncDispose]())

const JSON_TYPE = { 'Content-Type': 'application/json' }

function expectError(reply: Reply, status: number, message: RegExp): void {
  assert.equal(reply.status, status, reply.text)
  assert.match(reply.json?.message ?? '', message)
}

async function noContainers(): Promise<void> {
  assert.deepEqual((await engine.request('GET', '/containers/json?all=1')).json, [])
}

test('a malformed body answers 400', async () => {
  expectError(await engine.request('POST', '/containers/create', '{"Image":', JSON_TYPE), 400, /./)
  expectError(await engine.request('POST', '/containers/create', '{"Image":"starter"}{}', JSON_TYPE), 400, /./)
  expectError(await engine.request('POST', '/containers/create', { Image: 5 }), 400, /cannot unmarshal/)
  expectError(
    await engine.request('POST', '/containers/create', { Image: 'starter', HostConfig: { Memory: 'much' } }),
    400,
    /cannot unmarshal/,
  )
  expectError(await engine.request('GET', '/containers/json?filters=%7Bbroken'), 400, /./)
  expectError(await engine.request('GET', '/containers/json?filters=%7B%22nosuch%22%3A%5B%22a%22%5D%7D'), 400, /invalid filter/)
  await noContainers()
})

test('deeply nested and huge bodies are refused, the daemon lives', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  assert.equal((await engine.request('POST', '/containers/create', deep, JSON_TYPE)).status, 400)
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
})

test('versions out of range and unknown paths are told apart', async () => {
  expectError(await engine.request('GET', '/v1.99/info'), 400, /client version 1\.99 is too new\. Maximum supported API version is 1\./)
  expectError(await engine.request('GET', '/v1.5/info'), 400, /client version 1\.5 is too old\. Minimum supported API version is 1\./)
  expectError(await engine.request('GET', '/nosuch'), 404, /page not found/)
})

test('an unknown user, a bad name, a missing image are named', async () => {
  const user = engine.docker(['run', '--rm', '-u', 'nobodyknows', 'starter', 'true'])
  assert.equal(user.status, 125)
  assert.match(user.stderr, /unable to find user nobodyknows: no matching entries in passwd file/)
  expectError(await engine.request('POST', '/containers/create?name=a/b', { Image: 'starter' }), 400, /Invalid container name \(a\/b\)/)
  expectError(await engine.request('POST', '/containers/create', { Image: 'nosuch' }), 404, /No such image: nosuch:latest/)
  expectError(await engine.request('GET', '/containers/nosuch/json'), 404, /No such container: nosuch/)
  for (const { Id } of (await engine.request('GET', '/containers/json?all=1')).json) await engine.request('DELETE', `/containers/${Id}`)
  await noContainers()
})

test('a missing program exits with 127, one that may not run with 126', () => {
  const missing = engine.docker(['run', '--rm', 'starter', 'nosuchprogram'])
  assert.equal(missing.status, 127)
  assert.match(missing.stderr, /exec: "nosuchprogram": executable file not found in \$PATH/)
  const directory = engine.docker(['run', '--rm', 'starter', '/etc'])
  assert.equal(directory.status, 126)
  assert.match(directory.stderr, /permission denied|is a directory/)
})

test('an occupied port is named, and the container can be started once it is free', async () => {
  engine.mustDocker('run', '-d', '--name', 'first', '-p', '9001:80', 'starter', 'sleep', '1000')
  const second = engine.docker(['run', '-d', '--name', 'second', '-p', '9001:80', 'starter', 'sleep', '1000'])
  assert.equal(second.status, 125)
  assert.match(second.stderr, /Bind for 0\.0\.0\.0:9001 failed: port is already allocated/)
  engine.mustDocker('rm', '-f', 'first')
  engine.mustDocker('start', 'second')
  engine.mustDocker('rm', '-f', 'second')
})

test('a port that a program of the host holds is refused', async () => {
  const holder = engine.host.run(['sh', '-c', 'busybox nc -l -p 9002 >/dev/null 2>&1 & echo $!'])
  await eventually(() => assert.match(engine.host.must(['ss', '-Hltn']), /:9002 /))
  const result = engine.docker(['run', '--rm', '-p', '9002:80', 'starter', 'true'])
  process.kill(Number(holder.stdout.trim()), 'SIGKILL')
  assert.equal(result.status, 125)
  assert.match(result.stderr, /address already in use/)
})

test('bad mounts are refused with the reason', async () => {
  const cases: [string[], RegExp][] = [
    [['--mount', 'type=bind,source=/no/such/dir,target=/x'], /bind source path does not exist: \/no\/such\/dir/],
    [['-v', 'relative/path:/x'], /includes invalid characters for a local volume name|invalid/],
    [['-v', '/tmp:relative'], /invalid mount path|invalid volume specification|must be absolute|mount path must be absolute/],
    [['-v', '/tmp:/x', '-v', '/var:/x'], /Duplicate mount point: \/x/],
    [['--mount', 'type=tmpfs,source=/a,target=/x'], /must not contain|source is not allowed|Source must not be set|invalid/i],
    [['-v', '/tmp:/'], /destination can't be '\/'|invalid/],
  ]
  for (const [flags, message] of cases) {
    const result = engine.docker(['run', '--rm', ...flags, 'starter', 'true'])
    assert.equal(result.status, 125, flags.join(' '))
    assert.match(result.stderr, message)
  }
  await noContainers()
})

/** Files below a folder of the data root, to see that a refused archive leaves none. */
/** By find, which follows no link: node's recursive listing would walk through a hostile layer's `out -> ../../tmp` into the host. */
function filesBelow(folder: string): string[] {
  return spawnSync('find', [join(engine.dataRoot, folder)], { encoding: 'utf8' })
    .stdout.split('\n')
    .sort()
}

async function load(archive: Buffer): Promise<string> {
  const reply = await engine.request('POST', '/images/load', archive, { 'Content-Type': 'application/x-tar' })
  return `${reply.status} ${reply.text}`
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A `docker save` archive of one layer. */
function saved(layer: Buffer, change: { diffId?: string } = {}): Buffer {
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [change.diffId ?? `sha256:${sha256(layer)}`] },
    }),
  )
  const manifest = [{ Config: `${sha256(config)}.json`, RepoTags: ['bad:latest'], Layers: ['layer.tar'] }]
  return tar([
    { name: `${sha256(config)}.json`, data: config },
    { name: 'layer.tar', data: layer },
    { name: 'manifest.json', data: Buffer.from(JSON.stringify(manifest)) },
  ])
}

const HOSTILE: { name: string; entries: TarEntry[] }[] = [
  { name: 'path traversal', entries: [{ name: '../../../../escaped', data: Buffer.from('x') }] },
  {
    name: 'an absolute symlink and a file through it',
    entries: [
      { name: 'out', type: 'symlink', link: '/tmp' },
      { name: 'out/escaped-by-link', data: Buffer.from('x') },
    ],
  },
  {
    name: 'a relative symlink out and a file through it',
    entries: [
      { name: 'out', type: 'symlink', link: '../../../../../../../tmp' },
      { name: 'out/escaped-by-link', data: Buffer.from('x') },
    ],
  },
  { name: 'a hard link to the outside', entries: [{ name: 'passwd', type: 'link', link: '../../../../../../../../etc/passwd' }] },
]

for (const { name, entries } of HOSTILE) {
  test(`a layer with ${name} writes nothing outside`, async () => {
    const answer = await load(saved(tar(entries)))
    assert.deepEqual(
      readdirSync('/tmp').filter((file) => file.startsWith('escaped')),
      [],
    )
    assert.deepEqual(
      readdirSync('/').filter((file) => file.startsWith('escaped')),
      [],
    )
    // Docker refuses some of these and clamps others into the root: either is fine, half an image is not.
    if (/error/.test(answer)) assert.equal(engine.docker(['image', 'inspect', 'bad']).status, 1)
    engine.docker(['rmi', '-f', 'bad'])
  })
}

test('broken archives are refused with a reason and leave nothing behind', async () => {
  const left = (): string[][] => [filesBelow('content'), filesBelow('layers'), filesBelow('tmp')]
  // Layers of the tests before are still being deleted.
  await eventually(() => assert.equal(filesBelow('tmp/trash').length, 2))
  const before = left()
  const layer = tar([{ name: 'file', data: Buffer.alloc(100_000, 'x') }])
  const whole = saved(layer)
  const cases: [string, Buffer, RegExp][] = [
    ['truncated', whole.subarray(0, 60_000), /unexpected EOF|truncated|unexpected end/i],
    ['truncated gzip', gzipSync(whole).subarray(0, 100), /unexpected|truncated|end of/i],
    ['wrong digest', saved(layer, { diffId: `sha256:${'0'.repeat(64)}` }), /digest|diff ?id|mismatch|wrong/i],
    ['no manifest', tar([{ name: 'hello', data: Buffer.from('x') }]), /manifest/i],
    ['not a tar', Buffer.from('this is no archive at all, whatever its name'.repeat(50)), /archive|tar|header|format/i],
    [
      'a sparse header that claims 10 GB',
      saved(tar([{ name: 'big', data: Buffer.alloc(512), claimedSize: 10 * 2 ** 30 }])),
      /EOF|truncated|size|unexpected/i,
    ],
  ]
  for (const [name, archive, message] of cases) assert.match(await load(archive), message, name)
  // What was thrown away is deleted in the background.
  await eventually(() => assert.deepEqual(left(), before))
})

test('a port on the host that is free again after a failed start is not kept by us', async () => {
  engine.docker(['run', '--rm', '-p', '9003:80', 'starter', 'nosuchprogram'])
  const free = engine.host.run(['busybox', 'timeout', '1', 'busybox', 'nc', '-l', '-p', '9003'])
  assert.doesNotMatch(free.stderr, /in use/)
})

test('the IPC of a container that does not share it, and volumes of one that does not exist, are refused', () => {
  engine.mustDocker('run', '-d', '--name', 'donor', 'starter', 'sleep', '1000')
  const ipc = engine.docker(['run', '--rm', '--ipc', 'container:donor', 'starter', 'true'])
  assert.equal(ipc.status, 125)
  assert.match(ipc.stderr, /non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/)
  const volumes = engine.docker(['run', '--rm', '--volumes-from', 'nosuch', 'starter', 'true'])
  assert.equal(volumes.status, 125)
  assert.match(volumes.stderr, /No such container: nosuch/)
  assert.doesNotMatch(volumes.stderr, /Unable to find image/)
  engine.mustDocker('rm', '-f', 'donor')
})
