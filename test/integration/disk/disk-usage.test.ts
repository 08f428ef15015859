/** `system df` against `du`: what it says adds up to what lies in the data root, within 2 %, whatever lies there. Needs root. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'

let engine: Engine

/** Bytes that `du` finds in the parts of the data root that images, containers and volumes live in. */
function du(...parts: string[]): number {
  const { stdout, stderr } = spawnSync('du', ['-s', '--block-size=1', '-c', ...parts.map((part) => join(engine.dataRoot, part))], {
    encoding: 'utf8',
  })
  const total = Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1])
  assert.ok(total > 0, stderr)
  return total
}

interface Sums {
  images: number
  containers: number
  volumes: number
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)

/** As clients before 1.52 (the docker CLI among them) add it up. */
async function oldForm(): Promise<Sums> {
  const { json } = await engine.request('GET', '/v1.51/system/df')
  return {
    images: json.LayersSize,
    containers: sum(json.Containers.map(({ SizeRw = 0 }) => SizeRw)),
    volumes: sum(json.Volumes.map(({ UsageData }: { UsageData: { Size: number } }) => UsageData.Size)),
  }
}

async function newForm(): Promise<Sums> {
  const { json } = await engine.request('GET', '/v1.52/system/df')
  return { images: json.ImageUsage.TotalSize, containers: json.ContainerUsage.TotalSize, volumes: json.VolumeUsage.TotalSize }
}

/** `snapshots/` and `volumes/` themselves, which are nobody's. */
const OWN_DIRECTORIES = 2 * 4096

function assertNear(said: number, found: number, what: string): void {
  assert.ok(Math.abs(said - found) <= 0.02 * found + OWN_DIRECTORIES, `${what}: df says ${said}, du ${found}`)
}

/** Both forms, each part and the sum. Deletions go on in the background; a file system gives freed and delayed blocks back a moment later. */
async function agreesWithDu(): Promise<void> {
  spawnSync('sync', ['-f', engine.dataRoot])
  await eventually(compareWithDu)
}

async function compareWithDu(): Promise<void> {
  for (const [form, said] of [
    ['1.51', await oldForm()],
    ['1.52', await newForm()],
  ] as const) {
    assertNear(said.images, du('layers', 'content'), `${form} images`)
    assertNear(said.containers + said.volumes, du('snapshots', 'volumes'), `${form} containers and volumes`)
    assertNear(said.images + said.containers + said.volumes, du('layers', 'content', 'snapshots', 'volumes'), `${form} all`)
  }
}

for (const policy of ['keep', 'discard']) {
  describe(`system df with layer blobs on ${policy}`, () => {
    beforeEach(async () => {
      engine = await Engine.start({ flags: ['--storage-opt', `gantry.layer-blobs=${policy}`] })
      engine.loadStarter()
    })
    afterEach(() => engine[Symbol.asyncDispose]())

    it('agrees with du after loads, commits, containers that write and volumes', { timeout: 280_000 }, async () => {
      if (policy === 'discard') await blobsAreGone()
      await agreesWithDu()
      // A container with many small files, hard links and holes; large ones; one that has written nothing.
      const small =
        'mkdir -p /d/e; for i in $(seq 150); do echo $i > /d/$i; ln /d/$i /d/e/$i; done; dd if=/dev/zero of=/sparse bs=1 count=1 seek=1073741824'
      engine.mustDocker('run', '--name', 'small', 'starter', 'sh', '-c', small)
      engine.mustDocker(
        'run',
        '--name',
        'large',
        '-v',
        'data:/data',
        'starter',
        'sh',
        '-c',
        'dd if=/dev/urandom of=/f bs=1M count=20; cp /f /data/f; for i in $(seq 100); do echo > /data/$i; done',
      )
      engine.mustDocker('create', '--name', 'idle', 'starter', 'true')
      await agreesWithDu()
      engine.mustDocker('commit', 'small', 'small')
      engine.mustDocker('commit', 'large', 'large')
      engine.mustDocker('tag', 'large', 'again')
      if (policy === 'discard') await blobsAreGone()
      await agreesWithDu()
      engine.mustDocker('rm', 'small', 'large')
      engine.mustDocker('rmi', 'small')
      await agreesWithDu()
    })

    it('says what would be free, and does not count twice what images share', async () => {
      engine.mustDocker('run', '--name', 'user', 'starter', 'sh', '-c', 'dd if=/dev/urandom of=/f bs=1M count=8')
      engine.mustDocker('commit', 'user', 'big')
      const { ImageUsage } = (await engine.request('GET', '/v1.52/system/df?verbose=1')).json
      const big = ImageUsage.Items.find(({ RepoTags }: { RepoTags: string[] }) => RepoTags.includes('big:latest'))
      const starter = ImageUsage.Items.find(({ RepoTags }: { RepoTags: string[] }) => RepoTags.includes('starter:latest'))
      assert.equal(ImageUsage.ActiveCount, 1)
      // All but the config of the starter is shared.
      assert.ok(starter.Size - starter.SharedSize < 10_000, JSON.stringify(starter))
      assert.ok(big.Size - big.SharedSize >= 8 * 1024 ** 2)
      assertNear(ImageUsage.Reclaimable, big.Size - big.SharedSize, 'reclaimable')
      assert.ok(ImageUsage.TotalSize >= big.Size)
    })

    it('is printed by the docker CLI', () => {
      const table = engine.mustDocker('system', 'df', '--format', '{{.Type}} {{.Size}} {{.Reclaimable}}')
      assert.match(table, /^Images [\d.]+MB [\d.]+MB \(\d+%\)$/m)
      assert.doesNotMatch(table, /-\d/)
    })
  })
}

/** The background makes recipes and gives up the blobs. */
async function blobsAreGone(): Promise<void> {
  await eventually(() => {
    const layers = spawnSync('find', [join(engine.dataRoot, 'layers'), '-maxdepth', '2', '-name', 'recipe'], { encoding: 'utf8' }).stdout
    const blobs = spawnSync('find', [join(engine.dataRoot, 'content/blobs'), '-size', '+100k'], { encoding: 'utf8' }).stdout
    assert.ok(layers !== '' && blobs === '', `recipes: ${layers}, blobs: ${blobs}\n${engine.log}`)
  })
}
