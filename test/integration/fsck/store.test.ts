/** `POST /gantry/fsck` on a daemon whose data root was damaged by hand: each damage is found, mended, and gone afterwards. Needs root. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import type { Finding, FsckReport } from '#fsck'
import { Engine, eventually, starterImage } from '../../harness/index.ts'

let engine: Engine

before(async () => {
  engine = await Engine.start()
})
after(() => engine[Symbol.asyncDispose]())
afterEach(() => {
  // What a failed test has left must not fail the next one.
  const containers = engine.mustDocker('ps', '-aq').split('\n').filter(Boolean)
  if (containers.length > 0) engine.mustDocker('rm', '-f', ...containers)
  for (const id of engine.mustDocker('images', '-aq').split('\n').filter(Boolean)) engine.docker(['rmi', '-f', id])
})

/** Runs a check to its end. */
async function fsck(options: { repair?: boolean } = {}): Promise<{ findings: Finding[]; report: Omit<FsckReport, 'findings'> }> {
  const { status, text } = await engine.request('POST', `/gantry/fsck${options.repair === true ? '?repair=1' : ''}`)
  assert.equal(status, 200, text)
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { report } = lines.at(-1)
  assert.ok(report !== undefined, text)
  return { findings: lines.flatMap(({ finding }) => finding ?? []), report }
}

function shell(script: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], { cwd: engine.dataRoot, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

/** Changes rows while the daemon is down. */
async function withDatabase(change: (database: DatabaseSync) => void): Promise<void> {
  await engine.stopDaemon()
  const database = new DatabaseSync(join(engine.dataRoot, 'gantry.db'))
  change(database)
  database.close()
  await engine.startDaemon()
}

/** Paths of the starter image's parts; it is loaded anew when it is not there. */
async function starter(): Promise<{ id: string; layer: string; blob: string; config: string }> {
  if (engine.docker(['image', 'inspect', 'starter']).status !== 0) engine.loadStarter()
  const { json } = await engine.request('GET', '/v1.47/images/starter/json')
  const layer: string = json.GraphDriver.Data.UpperDir
  const blob = join(engine.dataRoot, 'content/blobs/sha256', json.RootFS.Layers[0].slice(7))
  return { id: json.Id, layer, blob, config: join(engine.dataRoot, 'content/blobs/sha256', json.Id.slice(7)) }
}

/** Finds exactly these kinds, mends them, finds nothing any more, and what was left or loaded again runs. */
async function findsAndMends(kinds: string[], options: { lost?: string[]; notes?: string[] } = {}): Promise<Finding[]> {
  const looked = await fsck()
  assert.deepEqual(looked.findings.map(({ kind }) => kind).sort(), [...kinds].sort(), JSON.stringify(looked.findings))
  assert.equal(looked.report.clean, false)
  assert.ok(looked.findings.every(({ outcome }) => outcome === 'found'))
  const mended = await fsck({ repair: true })
  assert.deepEqual(
    mended.findings.filter(({ severity, outcome }) => severity === 'error' && outcome !== 'repaired'),
    [],
  )
  assert.equal(mended.report.clean, true)
  assert.deepEqual(mended.report.lost, options.lost ?? [])
  const again = await fsck()
  assert.deepEqual(
    again.findings.map(({ kind }) => kind),
    options.notes ?? [],
    JSON.stringify(again.findings),
  )
  assert.equal(again.report.clean, true)
  if (options.lost !== undefined) engine.loadStarter()
  assert.equal(engine.mustDocker('run', '--rm', 'starter', 'echo', 'runs'), 'runs')
  return looked.findings
}

describe('fsck', () => {
  it('finds nothing wrong with a store that is used', async () => {
    await starter()
    engine.mustDocker('run', '-d', '--name', 'writes', '-v', 'data:/data', 'starter', 'sh', '-c', 'echo 1 > /file; sleep 1000')
    await eventually(() => engine.mustDocker('exec', 'writes', 'test', '-s', '/file'))
    engine.mustDocker('commit', 'writes', 'committed')
    const { findings, report } = await fsck()
    assert.deepEqual(findings, [])
    assert.deepEqual(report.checked, { blobs: 4, layers: 2, images: 2, containers: 1 })
    engine.mustDocker('rm', '-f', 'writes')
    engine.mustDocker('rmi', 'committed')
    engine.mustDocker('volume', 'rm', 'data')
  })

  it('gives up a blob with a flipped byte; its layer goes on, and loading the image brings it back', async () => {
    const { blob } = await starter()
    const bytes = readFileSync(blob)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(blob, bytes)
    const [finding] = await findsAndMends(['blob-damaged'], { notes: ['blob-missing'] })
    assert.match(finding?.text ?? '', /its layer is whole, but cannot be saved or pushed until it is pulled or loaded again/)
    assert.notEqual(engine.docker(['save', 'starter']).status, 0)
    engine.loadStarter()
    assert.deepEqual((await fsck()).findings, [])
  })

  it('unpacks a layer again that was changed, under a running container', async () => {
    const { layer } = await starter()
    engine.mustDocker('run', '-d', '--name', 'running', 'starter', 'sleep', '1000')
    shell(`rm ${layer}/bin/ls; chmod 700 ${layer}/etc; echo x > ${layer}/new`)
    const [finding] = await findsAndMends(['layer-damaged'])
    assert.match(finding?.text ?? '', /running containers go on with the old files: [0-9a-f]{12}/)
    assert.equal(engine.mustDocker('exec', 'running', 'cat', '/new'), 'x')
    assert.equal(existsSync(layer), true)
    engine.mustDocker('rm', '-f', 'running')
    await eventually(() => assert.equal(existsSync(layer), false))
    assert.equal(engine.mustDocker('run', '--rm', 'starter', 'sh', '-c', 'ls -d /new /etc 2>&1 || true').includes('No such file'), true)
  })

  it('unpacks a layer again whose directory is gone', async () => {
    const { layer } = await starter()
    rmSync(layer, { recursive: true })
    await findsAndMends(['layer-missing'])
  })

  it('forgets an image whose layer and blob are gone, says its name, and leaves its container to its owner', async () => {
    const { layer, blob } = await starter()
    engine.mustDocker('create', '--name', 'stopped', 'starter', 'true')
    rmSync(layer, { recursive: true })
    rmSync(blob)
    const mended = await fsck({ repair: true })
    assert.deepEqual(mended.report.lost, ['starter:latest'])
    assert.deepEqual(mended.findings.map(({ kind, outcome }) => `${kind} ${outcome}`).sort(), [
      'container-broken found',
      'image-broken repaired',
      'layer-missing repaired',
    ])
    assert.match(engine.docker(['start', 'stopped']).stderr, /layer/)
    engine.loadStarter()
    engine.mustDocker('start', 'stopped')
    engine.mustDocker('rm', '-f', 'stopped')
    assert.deepEqual((await fsck()).findings, [])
  })

  it('forgets an image whose config is gone', async () => {
    const { config } = await starter()
    rmSync(config)
    await findsAndMends(['image-broken'], { lost: ['starter:latest'] })
  })

  it('deletes what belongs to nothing, and leaves what may be data', async () => {
    await starter()
    for (const path of ['layers/999', 'layers/strange', 'snapshots/nobody/upper', 'containers/nobody'])
      mkdirSync(join(engine.dataRoot, path), { recursive: true })
    for (const path of ['content/ingest/stale', 'content/blobs/sha256/not-a-digest']) writeFileSync(join(engine.dataRoot, path), 'x')
    for (const path of ['volumes/mine/_data', 'mine']) mkdirSync(join(engine.dataRoot, path), { recursive: true })
    const findings = await findsAndMends(
      Array.from({ length: 8 }, () => 'orphan'),
      { notes: ['orphan', 'orphan'] },
    )
    assert.deepEqual(
      findings
        .filter(({ severity }) => severity === 'error')
        .map(({ object }) => object)
        .sort(),
      [
        'containers/nobody',
        'content/blobs/sha256/not-a-digest',
        'content/ingest/stale',
        'layers/999',
        'layers/strange',
        'snapshots/nobody',
      ],
    )
    shell('rm -r volumes/mine mine')
    assert.deepEqual(readdirSync(join(engine.dataRoot, 'content/ingest')), [])
  })

  it('starts with records that cannot be read, tells them, and forgets them', async () => {
    await starter()
    await withDatabase((database) => database.exec(`UPDATE "references" SET json = substr(json, 1, 20)`))
    await findsAndMends(['record-damaged'], { lost: ['docker.io/library/starter:latest'] })
  })

  it('tells of a container whose writable layer is gone, and of a volume whose directory is gone', async () => {
    await starter()
    const id = engine.mustDocker('create', '-v', 'gone:/gone', 'starter', 'true')
    rmSync(join(engine.dataRoot, 'snapshots', id, 'upper'), { recursive: true })
    rmSync(join(engine.dataRoot, 'volumes/gone'), { recursive: true })
    const { findings, report } = await fsck({ repair: true })
    assert.deepEqual(
      findings.map(({ kind, object, outcome }) => [kind, object, outcome]),
      [
        ['snapshot-broken', id, 'found'],
        ['volume-broken', 'gone', 'found'],
      ],
    )
    assert.equal(report.clean, false)
    engine.mustDocker('rm', id)
    engine.mustDocker('volume', 'rm', 'gone')
    assert.deepEqual((await fsck()).findings, [])
  })

  it('makes an init layer anew whose directory is gone', async () => {
    await starter()
    engine.mustDocker('run', '--rm', 'starter', 'true')
    const layers = join(engine.dataRoot, 'layers')
    const { layer } = await starter()
    const init = readdirSync(layers).find((name) => !layer.startsWith(join(layers, name, '/')))
    assert.ok(init)
    rmSync(join(layers, init), { recursive: true })
    await findsAndMends(['layer-missing'])
  })

  it('takes another blob of the same layer in the place of a damaged one', async () => {
    const { blob } = await starter()
    writeFileSync(blob, 'damaged')
    await fsck({ repair: true })
    spawnSync('sh', ['-c', `gzip -c ${starterImage()} > ${engine.directory}/starter.tar.gz`])
    engine.mustDocker('import', join(engine.directory, 'starter.tar.gz'), 'compressed')
    assert.deepEqual((await fsck()).findings, [])
    assert.equal(engine.docker(['save', '-o', join(engine.directory, 'saved.tar'), 'starter']).status, 0)
  })

  it('disturbs nobody: images come and go meanwhile', async () => {
    await starter()
    const archive = engine.docker(['save', 'starter']).stdout.length
    assert.ok(archive > 0)
    const checks = Array.from({ length: 3 }, async () => await fsck({ repair: true }))
    const results = await Promise.allSettled(checks)
    const runs = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    assert.ok(runs.length >= 1)
    for (const { findings } of runs) assert.deepEqual(findings, [])
    assert.equal(statSync((await starter()).config).isFile(), true)
    assert.equal(
      createHash('sha256')
        .update(readFileSync((await starter()).config))
        .digest('hex'),
      (await starter()).id.slice(7),
    )
  })
})
