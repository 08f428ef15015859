/** `run` against the fake engine: what is asked in which order, and how the command ends. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startFakeEngine, type FakeEngineOptions } from './fake-engine.ts'
import { RUNNING_ID } from './fixtures-ids.ts'
import { gantry, gantryMissing, type Outcome } from './program.ts'

const OUTPUT: NonNullable<FakeEngineOptions['output']> = [
  [1, 'out\n'],
  [2, 'err\n'],
]

async function run(
  options: FakeEngineOptions,
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome & { requests: string[]; body: any }> {
  await using engine = await startFakeEngine({ output: OUTPUT, ...options })
  const config = mkdtempSync(join(tmpdir(), 'run-'))
  try {
    const outcome = await gantry(args, { env: { DOCKER_HOST: engine.host, DOCKER_CONFIG: config, ...env } })
    return { ...outcome, requests: [...engine.requests], body: engine.bodies.get('POST /containers/create') }
  } finally {
    rmSync(config, { recursive: true })
  }
}

describe('gantry run', { skip: gantryMissing() ?? false, concurrency: 4 }, () => {
  it('needs five requests, attach and wait before start', async () => {
    const { requests, stdout, stderr, status } = await run({}, ['run', '--rm', 'busybox', 'true'])
    assert.deepEqual([stdout, stderr, status], ['out\n', 'err\n', 0])
    assert.equal(requests.length, 5)
    assert.deepEqual(requests.slice(0, 2), ['HEAD /_ping', 'POST /containers/create'])
    assert.deepEqual(requests.slice(2, 4).sort(), [
      `POST /containers/${RUNNING_ID}/attach?stream=1&stdout=1&stderr=1`,
      `POST /containers/${RUNNING_ID}/wait?condition=removed`,
    ])
    assert.equal(requests[4], `POST /containers/${RUNNING_ID}/start`)
  })

  it('needs three requests when detached, and prints the id', async () => {
    const { requests, stdout } = await run({}, ['run', '-d', 'busybox'])
    assert.equal(stdout, `${RUNNING_ID}\n`)
    assert.deepEqual(requests, ['HEAD /_ping', 'POST /containers/create', `POST /containers/${RUNNING_ID}/start`])
  })

  it('ends with the status of the container', async () => {
    assert.equal((await run({ exitCode: 42 }, ['run', 'busybox'])).status, 42)
    assert.equal((await run({ exitCode: 137 }, ['run', '--rm', 'busybox'])).status, 137)
  })

  it('ends with 125, 126 or 127 when the container cannot be started', async () => {
    const texts: [string, number][] = [
      ['port is already allocated', 125],
      ['exec /etc/passwd: permission denied', 126],
      ['exec: "foo": executable file not found in $PATH', 127],
    ]
    for (const [message, status] of texts) {
      const outcome = await run({ output: [], startError: { status: 400, message } }, ['run', '--rm', 'busybox'])
      assert.equal(outcome.status, status)
      assert.equal(outcome.stderr, `docker: Error response from daemon: ${message}\n\nRun 'docker run --help' for more information\n`)
    }
  })

  it('asks for a missing image, unless told not to', async () => {
    const missing = await run({ missingImage: true }, ['run', 'nosuch'])
    assert.match(
      missing.stderr,
      /^Unable to find image 'nosuch:latest' locally\ndocker: Error response from daemon: pull is not implemented\n/,
    )
    assert.equal(missing.status, 125)
    assert.ok(missing.requests.includes('POST /images/create?fromImage=docker.io%2Flibrary%2Fnosuch&tag=latest'))
    const never = await run({ missingImage: true }, ['run', '--pull', 'never', 'nosuch'])
    assert.match(never.stderr, /No such image: nosuch:latest/)
    assert.ok(!never.requests.some((request) => request.includes('/images/create')))
  })

  it('writes the id to --cidfile, and takes the file away when there is no container', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cid-'))
    try {
      await run({}, ['run', '--cidfile', join(directory, 'a'), 'busybox'])
      assert.equal(readFileSync(join(directory, 'a'), 'utf8'), RUNNING_ID)
      await run({ missingImage: true }, ['run', '--cidfile', join(directory, 'b'), 'nosuch'])
      assert.equal(existsSync(join(directory, 'b')), false)
      assert.match((await run({}, ['run', '--cidfile', join(directory, 'a'), 'busybox'])).stderr, /container ID file found/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('reads --env-file itself, though node has an option of that name', async () => {
    const { body } = await run({}, ['run', '--env-file', join(import.meta.dirname, 'testdata/env'), '-e', 'B', 'busybox'], { B: 'two' })
    assert.deepEqual(body.Env, ['A=1', 'B=two'])
  })

  it('passes 200 MB through intact', async () => {
    const piece = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => at % 251))
    const output: NonNullable<FakeEngineOptions['output']> = Array.from({ length: 200 }, () => [1, piece])
    await using engine = await startFakeEngine({ output })
    const outcome = await gantry(['logs', 'web'], { env: { DOCKER_HOST: engine.host, LC_ALL: 'C' }, digest: true })
    const expected = createHash('sha256')
    for (let count = 0; count < 200; count++) expected.update(piece)
    assert.equal(outcome.stdout, expected.digest('hex'))
  })

  it('takes logs apart that an older engine calls raw', async () => {
    await using engine = await startFakeEngine({
      apiVersion: '1.41',
      output: [
        [1, 'out'],
        [2, 'err'],
      ],
    })
    const outcome = await gantry(['logs', 'web'], { env: { DOCKER_HOST: engine.host } })
    assert.deepEqual(outcome, { stdout: 'out', stderr: 'err', status: 0 })
  })

  it('ends quietly when nobody reads', async () => {
    const output: NonNullable<FakeEngineOptions['output']> = Array.from({ length: 50 }, () => [1, Buffer.alloc(1 << 20, 'x')])
    await using engine = await startFakeEngine({ output })
    const outcome = await gantry(['logs', 'web'], { env: { DOCKER_HOST: engine.host }, closeOutputEarly: true })
    assert.deepEqual([outcome.stderr, outcome.status], ['', 141])
  })

  it('says that nobody listens', async () => {
    const outcome = await gantry(['ps'], { env: { DOCKER_HOST: 'unix:///nonexistent.sock' } })
    assert.deepEqual(outcome, {
      stdout: '',
      stderr: 'Cannot connect to the Docker daemon at unix:///nonexistent.sock. Is the docker daemon running?\n',
      status: 1,
    })
  })

  it('refuses what an old daemon does not know', async () => {
    const { stderr } = await run({ apiVersion: '1.40' }, ['run', '--annotation', 'a=b', 'busybox'])
    assert.match(stderr, /"--annotation" requires API version 1\.43, but the Docker daemon API version is 1\.40/)
  })
})
