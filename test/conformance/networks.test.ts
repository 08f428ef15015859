/** Networks through docker-py and dockerode on a live engine. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import Docker from 'dockerode'
import { Engine } from '../harness/index.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
before(() => engine.loadStarter())
const docker = new Docker({ socketPath: engine.socket })

const PYTHON_STEPS = ['create_and_inspect', 'attach_at_create', 'connect_and_disconnect', 'low_level_endpoint', 'links', 'remove_and_prune']
const hasPython = spawnSync('python3', ['-c', 'import docker']).status === 0

test('docker-py works with networks', { skip: hasPython ? false : 'python3-docker is not installed' }, async () => {
  // Not spawnSync: the program talks to the daemon, whose log this process has to read meanwhile.
  const program = spawn('python3', [join(import.meta.dirname, 'fixtures/docker-py-networks.py')], {
    env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(program.stdout), text(program.stderr), once(program, 'close')])
  assert.deepEqual({ steps: stdout.trim().split('\n'), stderr, code }, { steps: PYTHON_STEPS, stderr: '', code: 0 })
})

test('dockerode works with networks', async () => {
  const front = await docker.createNetwork({ Name: 'front', EnableIPv6: true, Internal: true, Labels: { part: 'front' } })
  const back = await docker.createNetwork({ Name: 'back', Driver: 'bridge', Options: { 'com.docker.network.bridge.enable_icc': 'false' } })
  const container = await docker.createContainer({
    Image: 'starter',
    name: 'both',
    Cmd: ['sleep', '1000'],
    NetworkingConfig: { EndpointsConfig: { front: { Aliases: ['door'] }, back: {} } },
    HostConfig: { NetworkMode: 'front' },
  })
  await container.start()
  const { Networks } = (await container.inspect()).NetworkSettings
  assert.deepEqual(Object.keys(Networks).sort(), ['back', 'front'])
  assert.match(Networks['front']?.GlobalIPv6Address ?? '', /^fd/)
  const inspected: Docker.NetworkInspectInfo = await front.inspect()
  assert.deepEqual([inspected.Internal, inspected.EnableIPv6, inspected.IPAM?.Config?.length], [true, true, 2])
  assert.equal(inspected.Containers?.[container.id]?.Name, 'both')
  const listed = await docker.listContainers({ filters: JSON.stringify({ network: [back.id] }) })
  assert.deepEqual(
    listed.map(({ Names }) => Names),
    [['/both']],
  )
  await back.disconnect({ Container: container.id })
  await assert.rejects(back.disconnect({ Container: container.id }), { statusCode: 500 })
  await back.connect({ Container: container.id, EndpointConfig: { Aliases: ['again'] } })
  assert.deepEqual(Object.keys((await container.inspect()).NetworkSettings.Networks).sort(), ['back', 'front'])
  await container.remove({ force: true })
  await front.remove()
  const { NetworksDeleted } = await docker.pruneNetworks()
  assert.deepEqual(NetworksDeleted, ['back'])
})

test('a port of a container with both families is published on both', async () => {
  const network = await docker.createNetwork({ Name: 'six', EnableIPv6: true })
  const container = await docker.createContainer({
    Image: 'starter',
    Cmd: ['httpd', '-f', '-h', '/'],
    ExposedPorts: { '80/tcp': {}, '9/udp': {} },
    HostConfig: { NetworkMode: 'six', PortBindings: { '80/tcp': [{ HostPort: '8099' }] } },
  })
  await container.start()
  const { Ports } = (await container.inspect()).NetworkSettings
  assert.deepEqual(Ports, {
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8099' },
      { HostIp: '::', HostPort: '8099' },
    ],
    '9/udp': null,
  } as unknown)
  assert.equal(engine.mustDocker('port', container.id, '80'), '0.0.0.0:8099\n[::]:8099')
  assert.match(engine.mustDocker('ps', '--format', '{{.Ports}}'), /0\.0\.0\.0:8099->80\/tcp, \[::\]:8099->80\/tcp/)
  assert.equal(engine.gantry(['port', container.id, '80']).stdout, '0.0.0.0:8099\n[::]:8099\n')
  await container.remove({ force: true })
  await network.remove()
})
