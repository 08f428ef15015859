/** Volumes of a plugin: docker CLI, daemon restarts, a plugin that fails and one that goes away. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { TestPlugin } from './test-plugin.ts'

// The place is the machine's: the name must be nobody else's.
const SOCKETS = '/run/docker/plugins'
const NAME = `gantry-test-${process.pid}`
const socket = join(SOCKETS, `${NAME}.sock`)

const scratch = mkdtempSync(join(tmpdir(), 'gantry-plugin-'))
const made = mkdirSync(SOCKETS, { recursive: true })
after(() => {
  rmSync(socket, { force: true })
  rmSync(scratch, { recursive: true, force: true })
  if (made !== undefined) rmSync(made, { recursive: true, force: true })
})
const plugin = new TestPlugin(join(scratch, 'volumes'))
after(() => plugin[Symbol.asyncDispose]())
const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
before(async () => {
  engine.loadStarter()
  await plugin.listen(socket)
})

/** Like `mustDocker`, without stopping this process, in which the plugin runs. */
async function api(method: string, path: string, body?: unknown): Promise<any> {
  const { status, text, json } = await engine.request(method, path, body)
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`)
  return json
}

async function start(name: string, cmd: string[], volume = 'data'): Promise<void> {
  await api('POST', `/containers/create?name=${name}`, { Image: 'starter', Cmd: cmd, HostConfig: { Binds: [`${volume}:/v`] } })
  await api('POST', `/containers/${name}/start`)
}

test('a plugin is found, makes volumes, and is listed', async () => {
  const volume = await api('POST', '/volumes/create', { Name: 'data', Driver: NAME, DriverOpts: { color: 'blue' }, Labels: { a: 'b' } })
  assert.deepEqual([volume.Driver, volume.Scope, volume.Labels, volume.Options], [NAME, 'global', { a: 'b' }, { color: 'blue' }])
  assert.equal(volume.CreatedAt, '2024-05-06T07:08:09Z')
  const inspected = await api('GET', '/volumes/data')
  assert.deepEqual(inspected.Status, { users: 0, color: 'blue' })
  plugin.make('foreign')
  const { Volumes } = await api('GET', `/volumes?filters={"driver":["${NAME}"]}`)
  assert.deepEqual(Volumes.map(({ Name }: { Name: string }) => Name).sort(), ['data', 'foreign'])
  assert.deepEqual((await api('GET', '/info')).Plugins.Volume, [NAME, 'local'])
  const again = await engine.request('POST', '/volumes/create', { Name: 'data', Driver: 'local' })
  assert.deepEqual(
    [again.status, again.json.message],
    [409, `create data: driver '${NAME}' already has volume 'data': volume name must be unique`],
  )
})

test('a container’s volume is mounted by the plugin for as long as it runs, across daemons', async () => {
  await start('one', ['sh', '-c', 'echo content > /v/file; sleep 1000'])
  const { Id: id } = await api('GET', '/containers/one/json')
  assert.deepEqual(plugin.users('data'), [id])
  await start('two', ['cat', '/v/file'], 'data')
  await api('POST', '/containers/two/wait')
  assert.deepEqual(plugin.users('data'), [id])
  await engine.stopDaemon('SIGKILL')
  await engine.startDaemon()
  await api('DELETE', '/containers/one?force=1')
  assert.deepEqual(plugin.users('data'), [])
  assert.equal(plugin.calls.filter(({ method, id: user }) => method === 'VolumeDriver.Mount' && user === id).length, 1)
  assert.equal(readFileSync(join(scratch, 'volumes/data/file'), 'utf8'), 'content\n')
  await api('DELETE', '/containers/two')
})

test('a volume that the plugin made by itself is used by its name', async () => {
  await start('guest', ['true'], 'foreign')
  await api('POST', '/containers/guest/wait')
  const [mount] = (await api('GET', '/containers/guest/json')).Mounts
  assert.deepEqual([mount.Driver, mount.Source], [NAME, join(scratch, 'volumes/foreign')])
  await api('DELETE', '/containers/guest')
})

test('what a plugin says of its failures reaches the user', async () => {
  plugin.failures.set('VolumeDriver.Create', 'no space in the vault')
  const refused = await engine.request('POST', '/volumes/create', { Name: 'more', Driver: NAME })
  assert.deepEqual([refused.status, refused.json.message], [500, 'create more: VolumeDriver.Create: no space in the vault'])
  plugin.failures.clear()
  plugin.failures.set('VolumeDriver.Mount', 'the vault is locked')
  await api('POST', '/containers/create?name=locked', { Image: 'starter', HostConfig: { Binds: ['data:/unused'] } })
  const started = await engine.request('POST', '/containers/locked/start')
  assert.match(started.json.message, /error while mounting volume 'data': VolumeDriver.Mount: the vault is locked/)
  plugin.failures.clear()
  await api('DELETE', '/containers/locked')
})

test('plugins that are not there are told by name', async () => {
  const unknown = await engine.request('POST', '/volumes/create', { Name: 'x1', Driver: 'no-such-plugin' })
  assert.equal(unknown.status, 404)
  assert.equal(unknown.json.message, 'create x1: error looking up volume plugin no-such-plugin: plugin "no-such-plugin" not found')
  const odd = await engine.request('POST', '/volumes/create', { Name: 'x1', Driver: '../../etc/passwd' })
  assert.equal(odd.status, 404)
})

test('a plugin that is gone is told, costs the others nothing, and its volumes can be forgotten', async () => {
  await plugin[Symbol.asyncDispose]()
  writeFileSync(join(scratch, 'marker'), '')
  const list = await api('GET', '/volumes')
  assert.equal(list.Warnings.length, 1)
  assert.match(list.Warnings[0], new RegExp(`^list ${NAME}: Post unix://`))
  assert.ok(
    list.Volumes.some(({ Name }: { Name: string }) => Name === 'data'),
    'what is known here stays listed',
  )
  const kept = await engine.request('DELETE', '/volumes/data')
  assert.equal(kept.status, 500)
  await api('DELETE', '/volumes/data?force=1')
  assert.equal((await engine.request('GET', '/volumes/data')).status, 404)
})
