/** Mounts of volumes, their paths, images and directories with other owners, with the docker CLI and by the API. */
import assert from 'node:assert/strict'
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
before(() => engine.loadStarter())
const scratch = mkdtempSync(join(tmpdir(), 'gantry-mounts-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const run = (...args: string[]): string => engine.mustDocker('run', '--rm', ...args)

function refused(...args: string[]): string {
  const { status, stderr } = engine.docker(['run', '--rm', ...args])
  assert.notEqual(status, 0)
  return stderr
}

/** Creates a container by the API and starts it: what the docker CLI cannot ask for. */
async function runMount(name: string, mount: object, cmd: string[]): Promise<string> {
  const body = { Image: 'starter', Cmd: cmd, HostConfig: { Mounts: [mount] } }
  const created = await engine.request('POST', `/containers/create?name=${name}`, body)
  assert.equal(created.status, 201, created.text)
  const started = await engine.request('POST', `/containers/${name}/start`)
  assert.equal(started.status, 204, started.text)
  engine.mustDocker('wait', name)
  const output = engine.docker(['logs', name])
  engine.mustDocker('rm', name)
  return output.stdout + output.stderr
}

test('a path in a volume is mounted, file or directory, and its links stay inside', () => {
  run(
    '-v',
    'tree:/v',
    'starter',
    'sh',
    '-c',
    'mkdir -p /v/a/b; echo inner > /v/a/b/file; ln -s /a/b /v/absolute; ln -s ../../../../etc /v/out',
  )
  const sub = (path: string): string[] => ['--mount', `type=volume,src=tree,dst=/m,volume-subpath=${path}`, 'starter']
  assert.equal(run(...sub('a/b'), 'cat', '/m/file'), 'inner')
  assert.equal(run(...sub('a/b/file'), 'cat', '/m'), 'inner')
  assert.equal(run(...sub('absolute'), 'cat', '/m/file'), 'inner')
  assert.match(refused(...sub('missing'), 'true'), /cannot access path .*tree\/_data\/missing: no such file or directory/)
  assert.match(refused(...sub('out'), 'true'), /cannot access path/)
  assert.match(refused(...sub('../x'), 'true'), /subpath must be a relative path within the volume/)
})

test('a container that swaps a path in a volume for a link gives the next one nothing of the host', () => {
  const host = join(scratch, 'host')
  mkdirSync(host)
  writeFileSync(join(host, 'secret'), 'secret')
  const swap = `mkdir -p /v/d; ln -s ${host} /v/l; while :; do mv /v/d /v/x; mv /v/l /v/d; mv /v/d /v/l; mv /v/x /v/d; done`
  engine.mustDocker('run', '-d', '--name', 'swapper', '-v', 'swapped:/v', 'starter', 'sh', '-c', swap)
  let mounted = 0
  // It is a directory for a quarter of the time, and has to be one twice in a row: luck decides how many rounds see it.
  for (let round = 0; round < 25 || (mounted === 0 && round < 250); round++) {
    const { status, stdout } = engine.docker([
      'run',
      '--rm',
      '--mount',
      'type=volume,src=swapped,dst=/m,volume-subpath=d',
      'starter',
      'ls',
      '-R',
      '/m',
    ])
    assert.doesNotMatch(stdout, /secret/)
    if (status === 0) mounted++
  }
  engine.mustDocker('rm', '-f', 'swapper')
  assert.ok(mounted > 0)
})

test('an image is mounted read-only, whole or a path of it, in running and stopped containers, and is held', () => {
  engine.mustDocker('create', '--name', 'base', 'starter')
  writeFileSync(join(scratch, 'tool'), 'tool')
  engine.mustDocker('cp', join(scratch, 'tool'), 'base:/opt-tool')
  engine.mustDocker('commit', 'base', 'tools:1')
  engine.mustDocker('rm', 'base')
  const whole = ['--mount', 'type=image,src=tools:1,dst=/tools']
  assert.equal(run(...whole, 'starter', 'cat', '/tools/opt-tool'), 'tool')
  assert.equal(run('--mount', 'type=image,src=tools:1,dst=/t,image-subpath=opt-tool', 'starter', 'cat', '/t'), 'tool')
  assert.equal(run('--mount', 'type=image,src=starter,dst=/one,image-subpath=bin', 'starter', 'ls', '/one/sh'), '/one/sh')
  assert.match(refused(...whole, 'starter', 'touch', '/tools/x'), /Read-only file system/)
  engine.mustDocker('create', '--name', 'holder', ...whole, 'starter', 'true')
  engine.mustDocker('cp', 'holder:/tools/opt-tool', join(scratch, 'copied'))
  assert.match(
    engine.docker(['rmi', 'tools:1']).stderr,
    /conflict: unable to remove repository reference "tools:1" \(must force\) - container/,
  )
  const [mount] = JSON.parse(engine.mustDocker('inspect', '-f', '{{json .Mounts}}', 'holder'))
  assert.deepEqual([mount.Type, mount.Name, mount.RW, mount.Destination], ['image', 'tools:1', false, '/tools'])
  engine.mustDocker('rm', 'holder')
  engine.mustDocker('rmi', 'tools:1')
  assert.match(refused(...whole, 'starter', 'true'), /No such image: tools:1/)
})

test('files of a user of the host are those of the container’s, both ways', async () => {
  const home = join(scratch, 'home')
  mkdirSync(home)
  chownSync(home, 1000, 1000)
  writeFileSync(join(home, 'mine'), '')
  chownSync(join(home, 'mine'), 1000, 1000)
  const idmap = 'uids=0:1000:1;gids=0:1000:1'
  const command = ['sh', '-c', 'stat -c %u:%g /home/mine; touch /home/new']
  const bind = { Type: 'bind', Source: home, Target: '/home', BindOptions: { 'x-gantry-idmap': idmap } }
  assert.equal(await runMount('mapped', bind, command), '0:0\n')
  assert.deepEqual([lstatSync(join(home, 'new')).uid, lstatSync(join(home, 'new')).gid], [1000, 1000])
  engine.mustDocker('volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', `device=${home}`, '-o', `idmap=${idmap}`, 'home')
  assert.equal(run('-v', 'home:/home', 'starter', 'stat', '-c', '%u:%g', '/home/new'), '0:0')
  engine.mustDocker('create', '--name', 'stopped', '-v', 'home:/home', 'starter')
  writeFileSync(join(scratch, 'plain'), '')
  engine.mustDocker('cp', join(scratch, 'plain'), 'stopped:/home/copied')
  assert.equal(lstatSync(join(home, 'copied')).uid, 1000)
  engine.mustDocker('rm', 'stopped')
  const unfit = { ...bind, Source: '/sys/kernel', BindOptions: { ...bind.BindOptions, NonRecursive: true } }
  await engine.request('POST', '/containers/create?name=unfit', { Image: 'starter', HostConfig: { Mounts: [unfit] } })
  const refusal = await engine.request('POST', '/containers/unfit/start')
  assert.match(
    refusal.json.message,
    /idmapped-bind \/sys\/kernel on \/home: invalid argument \(its file system, or one mounted below it, supports no idmap\)/,
  )
  engine.mustDocker('rm', 'unfit')
  const odd = await engine.request('POST', '/containers/create', {
    Image: 'starter',
    HostConfig: { Mounts: [{ ...bind, BindOptions: { 'x-gantry-idmap': 'uids=1' } }] },
  })
  assert.equal(odd.status, 400)
  assert.match(odd.json.message, /invalid idmap "uids=1"/)
})

test('volumes-from takes over several containers’ mounts, read-only where asked', () => {
  engine.mustDocker('create', '--name', 'one', '-v', 'first:/first', '-v', '/anonymous', 'starter')
  engine.mustDocker('create', '--name', 'two', '-v', 'second:/second', 'starter')
  const from = ['--volumes-from', 'one:ro', '--volumes-from', 'two', 'starter', 'sh', '-c']
  assert.equal(run(...from, 'touch /first/x || touch /anonymous/x || touch /second/x && echo written'), 'written')
  engine.mustDocker('rm', '-v', 'one', 'two')
  assert.deepEqual(engine.mustDocker('volume', 'ls', '-q', '-f', 'name=first', '-f', 'name=second').split('\n'), ['first', 'second'])
})

test('prune takes anonymous volumes, named ones before API 1.42 or when asked, and none with options', async () => {
  for (const name of ['named', 'another']) engine.mustDocker('volume', 'create', name)
  engine.mustDocker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', 'memory')
  const anonymous = engine.mustDocker('volume', 'create')
  const [inspected] = JSON.parse(engine.mustDocker('volume', 'inspect', anonymous))
  assert.deepEqual(inspected.Labels, { 'com.docker.volume.anonymous': '' })
  const prune = async (path: string): Promise<string[]> => (await engine.request('POST', path)).json.VolumesDeleted ?? []
  assert.ok((await prune('/v1.44/volumes/prune')).includes(anonymous))
  assert.ok((await prune('/v1.44/volumes/prune?filters={"all":["true"]}')).includes('named'))
  engine.mustDocker('volume', 'create', 'named')
  assert.ok((await prune('/v1.41/volumes/prune')).includes('named'))
  assert.equal(engine.mustDocker('volume', 'ls', '-q', '-f', 'name=memory'), 'memory')
  engine.mustDocker('volume', 'rm', 'memory')
})

test('a volume in use is kept, and says by whom', () => {
  const id = engine.mustDocker('create', '--name', 'user', '-v', 'used:/v', 'starter')
  assert.match(engine.docker(['volume', 'rm', 'used']).stderr, new RegExp(`remove used: volume is in use - \\[${id}\\]`))
  assert.match(engine.mustDocker('volume', 'ls', '-q', '-f', 'dangling=false'), /^used$/m)
  engine.mustDocker('rm', 'user')
  engine.mustDocker('volume', 'rm', 'used')
})

test('the content of the image goes into an empty volume once, and not where it is unwanted', () => {
  assert.notEqual(run('-v', 'etc:/etc', 'starter', 'ls', '/etc'), '')
  run('-v', 'etc:/e', 'starter', 'sh', '-c', 'rm -rf /e/* && touch /e/own')
  assert.equal(run('-v', 'etc:/bin/..//etc', 'starter', 'ls', '/etc').includes('own'), true)
  assert.equal(run('--mount', 'type=volume,src=bare,dst=/bin2,volume-nocopy', 'starter', 'ls', '/bin2'), '')
})
