/** CDI devices in containers: what a specification says is what the program finds. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../../harness/index.ts'
import { deviceSpec, startMachine, type Machine } from './machine.ts'

let machine: Machine
before(async () => (machine = await startMachine()))
after(() => machine?.[Symbol.asyncDispose]())

const DEVICE = 'vendor.com/class=a'

/** The bundle, by what a hook is told. */
const BUNDLE = `$(echo "$state" | sed 's/.*"bundle":"\\([^"]*\\)".*/\\1/')`

/** A program that does `script`, with what it is told in `$state`. */
function hook(hookName: string, script: string): object {
  const path = join(machine.directory, `hook-${hookName}`)
  writeFileSync(path, `#!/bin/sh\nstate=$(cat)\n${script}\n`)
  chmodSync(path, 0o755)
  return { hookName, path, args: [hookName, machine.directory], env: ['PATH=/usr/bin:/bin'] }
}

test('a device brings its node, variables, mounts and groups, and the node can be used as far as it says', async () => {
  const { engine, specify, directory } = machine
  specify('vendor.json', deviceSpec('vendor.com/class', directory))
  const look = 'echo $VENDOR; cat /usr/lib/vendor/library; head -c 3 /dev/vendor/zeroes | wc -c; id -G'
  const use = '(: < /dev/vendor/none); (: > /dev/vendor/none)'
  const ran = engine.docker(['run', '--name', 'all', '--device', DEVICE, 'starter', 'sh', '-c', `${look}; ${use}`])
  assert.equal(ran.stdout, 'here\nof the vendor\n3\n0 4242\n')
  assert.match(ran.stderr, /can't open \/dev\/vendor\/none: no such device or address/i)
  assert.match(ran.stderr, /can't create \/dev\/vendor\/none: operation not permitted/i)
  assert.deepEqual(JSON.parse(engine.mustDocker('inspect', '-f', '{{json .HostConfig.DeviceRequests}}', 'all')), [
    { Driver: 'cdi', Count: 0, DeviceIDs: [DEVICE], Capabilities: null, Options: null },
  ])
  const { json } = await engine.request('GET', '/info')
  assert.deepEqual(json.DiscoveredDevices, [{ Source: 'cdi', ID: DEVICE }])
  assert.match(engine.mustDocker('info'), /CDI spec directories:\n {2}.*\/specs\n Discovered Devices:\n {2}cdi: vendor\.com\/class=a\n/)
  const own = engine.gantry(['run', '--rm', '--device', DEVICE, 'starter', 'sh', '-c', 'echo $VENDOR'])
  assert.equal(own.stdout, 'here\n', own.stderr)
})

test('hooks run at their moments, on the host or where the container is being made', async () => {
  const { engine, specify, directory } = machine
  const log = join(directory, 'log')
  const note = (text: string): string => `echo "$(basename $0 | cut -c6-) ${text}" >> ${log}`
  const status = '$(echo "$state" | grep -o \'"status":"[a-z]*"\' | cut -d\\" -f4)'
  const hooks = [
    hook('poststop', note(status)),
    hook('poststart', note(status)),
    // The container's root, by the bundle's config: before it is entered, and although it will be read-only.
    hook(
      'createContainer',
      `root=$(sed 's/.*"root":{"path":"\\([^"]*\\)".*/\\1/' ${BUNDLE}/config.json)
echo made > $root/from-hook
${note(`${status} $(echo "$state" | grep -o '"pid":[0-9]*') $(hostname)`)}`,
    ),
    hook('createRuntime', note(`${status} $(test "$(hostname)" = inside || echo outside)`)),
  ]
  specify('hooked.json', deviceSpec('hooked.com/class', directory, hooks))
  const run = ['run', '--rm', '--read-only', '-h', 'inside', '--device', 'hooked.com/class=a', 'starter', 'cat', '/from-hook']
  assert.equal(engine.mustDocker(...run), 'made')
  const lines = await eventually(() => {
    const found = readFileSync(log, 'utf8').trimEnd().split('\n')
    assert.equal(found.length, 4)
    return found
  })
  assert.deepEqual(lines, [
    'createRuntime creating outside',
    'createContainer creating "pid":1 inside',
    'poststart running',
    'poststop stopped',
  ])
})

test('a hook that fails ends the start, with what it said, and the end is tidy', () => {
  const { engine, specify, directory } = machine
  specify('failing.json', deviceSpec('failing.com/class', directory, [hook('prestart', 'echo no such card >&2; exit 7')]))
  engine.mustDocker('create', '--name', 'fails', '--device', 'failing.com/class=a', 'starter', 'true')
  const started = engine.docker(['start', 'fails'])
  assert.match(started.stderr, /error running prestart hook #0: exit status 7, stdout: , stderr: no such card/)
  assert.equal(engine.mustDocker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'fails'), 'created 128')
  const id = engine.mustDocker('inspect', '-f', '{{.Id}}', 'fails')
  assert.equal(existsSync(join(engine.execRoot, 'tasks', id)), false)
})

test('poststop hooks are run by the next daemon when none was there, and before a container is removed', async () => {
  const { engine, specify, directory } = machine
  const log = join(directory, 'late')
  specify('late.json', deviceSpec('late.com/class', directory, [hook('poststop', `test -e ${BUNDLE}/config.json && echo over >> ${log}`)]))
  engine.mustDocker('run', '-d', '--name', 'late', '--device', 'late.com/class=a', 'starter', 'sleep', '1000')
  const pid = Number(engine.mustDocker('inspect', '-f', '{{.State.Pid}}', 'late'))
  await engine.stopDaemon('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await eventually(() => assert.equal(existsSync(`/proc/${pid}`), false))
  await engine.startDaemon()
  assert.equal(readFileSync(log, 'utf8'), 'over\n')
  engine.mustDocker('start', 'late')
  engine.mustDocker('rm', '-f', 'late')
  assert.equal(readFileSync(log, 'utf8'), 'over\nover\n')
})

test('what is not there, broken or not to be had is told as dockerd tells it', async () => {
  const { engine, specify } = machine
  const refused = (device: string[]): string => engine.docker(['run', '--rm', ...device, 'starter', 'true']).stderr
  assert.match(
    refused(['--device', 'vendor.com/class=none']),
    /CDI device injection failed: unresolvable CDI devices vendor.com\/class=none/,
  )
  assert.match(refused(['--gpus', 'all']), /could not select device driver "" with capabilities: \[\[gpu\]\]/)
  const missing = { name: 'a', containerEdits: { deviceNodes: [{ path: '/dev/no-such-node' }] } }
  specify('missing.json', JSON.stringify({ cdiVersion: '0.5.0', kind: 'missing.com/class', devices: [missing] }))
  const why = /failed to inject devices: failed to stat CDI host device "\/dev\/no-such-node": no such file or directory/
  assert.match(refused(['--device', 'missing.com/class=a']), why)
  specify('broken.json', '{"cdiVersion": "0.5.0", "kind": "broken.com/class", "devices": [{"name": "a", "edits": {}}]}')
  assert.match(refused(['--device', 'broken.com/class=a']), /unresolvable CDI devices broken.com\/class=a/)
  const { json } = await engine.request('GET', '/info')
  assert.match(json.Warnings.join('\n'), /CDI: Error associated with spec file .*broken.json: .*unknown field "edits"/)
  specify('gpu.yaml', 'cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n  containerEdits:\n    env: [VENDOR=here]\n')
  assert.equal(engine.mustDocker('run', '--rm', '--gpus', 'all', 'starter', 'sh', '-c', 'echo $VENDOR'), 'here')
})
