/** CDI devices in builds: what RUN --device gets, who may have it, and what the cache makes of it. */
import assert from 'node:assert/strict'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ROOT } from '../../harness/index.ts'
import { deviceSpec, startMachine, type Machine } from './machine.ts'

let machine: Machine
before(async () => (machine = await startMachine()))
after(() => machine?.[Symbol.asyncDispose]())

function project(dockerfile: string): string {
  const directory = mkdtempSync(join(machine.engine.directory, 'project-'))
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  return directory
}

const build = (dockerfile: string, ...args: string[]): SpawnSyncReturns<string> =>
  machine.engine.gantry(['build', ...args, project(dockerfile)])

const USE = 'echo $VENDOR $(cat /usr/lib/vendor/library) $(head -c 3 /dev/vendor/zeroes | wc -c) > /seen'

test('a step gets what the device has, and its layer nothing of it', () => {
  const { engine, specify, directory } = machine
  const log = join(directory, 'log')
  const hook = { hookName: 'poststop', path: '/bin/sh', args: ['sh', '-c', `cat > ${log}`] }
  specify('vendor.json', deviceSpec('vendor.com/class', directory, [hook]))
  const built = build(
    `FROM starter\nRUN --device=vendor.com/class=a,required ${USE}\n`,
    '-t',
    'used',
    '--allow',
    'device=vendor.com/class=a',
  )
  assert.equal(built.status, 0, built.stderr)
  assert.match(readFileSync(log, 'utf8'), /"status":"stopped","bundle":"\/.*\/steps\/[0-9a-f]{64}\/bundle"/)
  const look = 'cat /seen; ls -d /usr/lib/vendor /dev/vendor; echo "[$VENDOR]"'
  assert.equal(engine.docker(['run', '--rm', 'used', 'sh', '-c', look]).stdout, 'here of the vendor 3\n[]\n')
})

test('a device that the client does not allow ends the build before it begins', () => {
  const dockerfile = 'FROM starter\nRUN echo before\nRUN --device=vendor.com/class true\n'
  const refused = build(dockerfile)
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /failed to load LLB: device vendor\.com\/class=a is requested by the build but not allowed/)
  assert.doesNotMatch(refused.stderr, /RUN echo before/)
  const built = build(dockerfile, '--allow', 'device')
  assert.equal(built.status, 0, built.stderr)
})

test('one that is needed must be there, another one need not, and coming later it changes the step', () => {
  const missing = build('FROM starter\nRUN --device=later.com/class=a,required true\n', '--allow', 'device')
  assert.match(missing.stderr, /required device "later\.com\/class=a" is not registered/)
  const step = 'FROM starter\nRUN --device=later.com/class=a echo "${VENDOR:-nobody}" > /seen\n'
  const seen = (): string => {
    const built = build(step, '-t', 'later', '--allow', 'device')
    assert.equal(built.status, 0, built.stderr)
    return machine.engine.mustDocker('run', '--rm', 'later', 'cat', '/seen')
  }
  assert.equal(seen(), 'nobody')
  machine.specify('later.json', deviceSpec('later.com/class', machine.directory))
  assert.equal(seen(), 'here')
})

test('what allows itself needs no leave, by the classic builder neither', () => {
  const { engine, specify, directory } = machine
  const spec = JSON.parse(deviceSpec('free.com/class', directory)) as object
  specify('free.json', JSON.stringify({ ...spec, annotations: { 'org.mobyproject.buildkit.device.autoallow': 'true' } }))
  const classic = (dockerfile: string): SpawnSyncReturns<string> =>
    engine.docker(['build', '-q', project(dockerfile)], { env: { DOCKER_BUILDKIT: '0' } })
  const built = classic(`FROM starter\nRUN --device=free.com/class=a ${USE}\n`)
  assert.equal(built.status, 0, built.stderr)
  assert.equal(engine.mustDocker('run', '--rm', built.stdout.trim(), 'cat', '/seen'), 'here of the vendor 3')
  assert.match(classic('FROM starter\nRUN --device=vendor.com/class=a true\n').stderr, /is requested by the build but not allowed/)
})

test('docker buildx lists devices and builds with them', (t) => {
  const { engine } = machine
  const fetched = spawnSync(join(ROOT, 'tools/buildx.sh'), ['forky'], { encoding: 'utf8' })
  if (fetched.status !== 0) return t.skip(fetched.stderr.trim())
  const plugins = join(engine.directory, 'docker-config/cli-plugins')
  mkdirSync(plugins, { recursive: true })
  symlinkSync(fetched.stdout.trim(), join(plugins, 'docker-buildx'))
  const listed = engine.mustDocker('buildx', 'inspect')
  assert.match(
    listed,
    /Devices:\n\s+Name:\s+free\.com\/class=a\n\s+Automatically allowed:\s+true\n\s+Annotations:\n\s+org\.mobyproject\.buildkit\.device\.autoallow:\s+true\n/,
  )
  assert.match(listed, /Name:\s+vendor\.com\/class=a\n\s+Automatically allowed:\s+false\n/)
  const directory = project(`# syntax=docker/dockerfile:1-labs\nFROM starter\nRUN --device=vendor.com/class=a ${USE}\n`)
  const run = (...args: string[]): SpawnSyncReturns<string> =>
    engine.docker(['buildx', 'build', '--progress', 'plain', '--no-cache', ...args, directory])
  assert.match(run().stderr, /device vendor\.com\/class=a is requested by the build but not allowed/)
  const built = run('-t', 'buildx', '--allow', 'device=vendor.com/class=a')
  assert.equal(built.status, 0, built.stderr)
  assert.equal(engine.mustDocker('run', '--rm', 'buildx', 'cat', '/seen'), 'here of the vendor 3')
})
