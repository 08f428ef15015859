import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerState } from '#containers'
import { fakeContainer, fakeSummary, NETWORK_ID } from '../testing/fake-services.ts'
import { encodeContainerInspect } from './container-inspect.ts'
import { encodeContainerSummary } from './container-list.ts'

const ended = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z', exitCode: 137, oomKilled: true, error: '' }

test('inspect turns each state into the overlapping flags of the wire', () => {
  const flags = (state: ContainerState): unknown[] => {
    const { State } = encodeContainerInspect(fakeContainer({ state }), 55)
    return [State.Status, State.Running, State.Paused, State.Restarting, State.Dead, State.OOMKilled, State.Pid, State.ExitCode]
  }
  assert.deepEqual(flags({ status: 'created' }), ['created', false, false, false, false, false, 0, 0])
  assert.deepEqual(flags({ status: 'running', pid: 5, startedAt: 'x' }), ['running', true, false, false, false, false, 5, 0])
  assert.deepEqual(flags({ status: 'paused', pid: 5, startedAt: 'x' }), ['paused', true, true, false, false, false, 5, 0])
  assert.deepEqual(flags({ status: 'restarting', ...ended }), ['restarting', true, false, true, false, true, 0, 137])
  assert.deepEqual(flags({ status: 'exited', ...ended }), ['exited', false, false, false, false, true, 0, 137])
  assert.deepEqual(flags({ status: 'dead', ...ended }), ['dead', false, false, false, true, true, 0, 137])
})

test("inspect shows Go's zero time for what never happened", () => {
  const { State } = encodeContainerInspect(fakeContainer({ state: { status: 'created' } }), 55)
  assert.equal(State.StartedAt, '0001-01-01T00:00:00Z')
  assert.equal(State.FinishedAt, '0001-01-01T00:00:00Z')
})

test('inspect lists published ports with strings, exposed ones with null, and none unless running', () => {
  const { NetworkSettings } = encodeContainerInspect(fakeContainer(), 55)
  assert.deepEqual(NetworkSettings.Ports, {
    '443/tcp': null,
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
  })
  const stopped = encodeContainerInspect(fakeContainer({ state: { status: 'exited', ...ended }, endpoints: [] }), 55)
  assert.deepEqual(stopped.NetworkSettings.Ports, {})
})

test('inspect shows the bridge flat before 1.52 only', () => {
  const old = encodeContainerInspect(fakeContainer(), 51)
  assert.equal(old.NetworkSettings.IPAddress, '172.17.0.2')
  assert.equal(old.NetworkSettings.Gateway, '172.17.0.1')
  assert.deepEqual(old.GraphDriver, { Name: 'overlay2', Data: null })
  const directories = { lower: ['/l/2', '/l/1'], upper: '/s/upper', work: '/s/work' }
  assert.deepEqual(encodeContainerInspect(fakeContainer(), 51, undefined, directories).GraphDriver?.Data, {
    LowerDir: '/l/2:/l/1',
    UpperDir: '/s/upper',
    WorkDir: '/s/work',
  })
  assert.equal(old.Storage, undefined)
  const recent = encodeContainerInspect(fakeContainer(), 52)
  assert.deepEqual(Object.keys(recent.NetworkSettings), ['SandboxID', 'SandboxKey', 'Ports', 'Networks'])
  assert.equal(recent.GraphDriver, undefined)
  assert.deepEqual(recent.Storage, { RootFS: { Snapshot: { Name: 'overlay2' } } })
})

test('inspect shows a network that has no endpoint yet as it was asked for', () => {
  const created = fakeContainer({
    state: { status: 'created' },
    endpoints: [],
    networks: { back: { aliases: ['db'], ipv4Address: '10.0.0.5' } },
  })
  const { back } = encodeContainerInspect(created, 55).NetworkSettings.Networks
  assert.deepEqual(back?.IPAMConfig, { IPv4Address: '10.0.0.5' })
  assert.deepEqual(back?.Aliases, ['db'])
  assert.equal(back?.NetworkID, '')
  const plain = fakeContainer({ state: { status: 'created' }, endpoints: [], networks: {} })
  assert.deepEqual(Object.keys(encodeContainerInspect(plain, 55).NetworkSettings.Networks), ['bridge'])
})

test('inspect adds short id and host name to the aliases of user networks before 1.45', () => {
  const [endpoint] = fakeContainer().endpoints
  assert.ok(endpoint)
  const container = fakeContainer({ networks: { back: { aliases: ['db'] } }, endpoints: [{ ...endpoint, networkName: 'back' }] })
  const aliases = (version: number): unknown => encodeContainerInspect(container, version).NetworkSettings.Networks['back']?.Aliases
  assert.deepEqual(aliases(44), ['db', container.id.slice(0, 12)])
  assert.deepEqual(aliases(45), ['db'])
})

test('inspect writes empty lists as dockerd does', () => {
  const { HostConfig, Config, ExecIDs } = encodeContainerInspect(fakeContainer(), 55)
  assert.equal(HostConfig.Binds, null)
  assert.equal(HostConfig.CapAdd, null)
  assert.deepEqual(HostConfig.Dns, [])
  assert.deepEqual(HostConfig.Ulimits, [])
  assert.equal(HostConfig.PidsLimit, null)
  assert.equal(HostConfig.Mounts, undefined)
  assert.equal(Config.Volumes, null)
  assert.equal(Config.Entrypoint, null)
  assert.equal(ExecIDs, null)
  assert.deepEqual(HostConfig.PortBindings, { '80/tcp': [{ HostIp: '', HostPort: '8080' }] })
})

test('list gives unix seconds, quoted arguments and one element per published address', () => {
  const summary = encodeContainerSummary(fakeSummary(), 51)
  assert.equal(summary.Created, 1_767_323_045)
  assert.deepEqual(summary.Names, ['/web'])
  assert.equal(summary.Command, "nginx -g 'daemon off;'")
  assert.deepEqual(summary.Ports, [
    { PrivatePort: 443, Type: 'tcp' },
    { IP: '0.0.0.0', PrivatePort: 80, Type: 'tcp', PublicPort: 8080 },
    { IP: '::', PrivatePort: 80, Type: 'tcp', PublicPort: 8080 },
  ])
  assert.equal(summary.NetworkSettings.Networks['bridge']?.NetworkID, NETWORK_ID)
  assert.equal(summary.Health, undefined)
  assert.deepEqual(summary.Mounts, [])
})

test('list shows health since 1.52 and annotations since 1.46', () => {
  const { hostConfig } = fakeContainer()
  const annotated = fakeSummary({ hostConfig: { ...hostConfig, annotations: { a: 'b' } } })
  assert.deepEqual(encodeContainerSummary(annotated, 52).Health, { Status: 'none', FailingStreak: 0 })
  assert.deepEqual(encodeContainerSummary(annotated, 46).HostConfig, { NetworkMode: 'bridge', Annotations: { a: 'b' } })
  assert.deepEqual(encodeContainerSummary(annotated, 45).HostConfig, { NetworkMode: 'bridge' })
})
