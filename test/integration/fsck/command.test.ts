/** `gantry system fsck` from the shell: what it prints and its status, on a store that is whole, damaged and mended. Needs root. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Engine } from '../../harness/index.ts'

const CLEAN = 'Checked 2 blobs, 1 layer, 1 image, 0 containers: clean\n'

describe('gantry system fsck', () => {
  let engine: Engine
  before(async () => {
    engine = await Engine.start()
    engine.loadStarter()
  })
  after(() => engine[Symbol.asyncDispose]())

  /** Where the starter's layer is unpacked, which a repair changes, and its blob. */
  async function paths(): Promise<{ layer: string; blob: string }> {
    const { json } = await engine.request('GET', '/v1.47/images/starter/json')
    const [digest] = json.RootFS.Layers as [string]
    return { layer: json.GraphDriver.Data.UpperDir, blob: join(engine.dataRoot, 'content/blobs/sha256', digest.slice('sha256:'.length)) }
  }

  function fsck(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = engine.gantry(['system', 'fsck', ...flags])
    return { status, stdout, stderr }
  }

  it('says that a store is clean, and with --quiet nothing', () => {
    assert.deepEqual(fsck(), { status: 0, stdout: CLEAN, stderr: '' })
    assert.deepEqual(fsck('--quiet', '--repair'), { status: 0, stdout: '', stderr: '' })
  })

  it('has status 1 while a damaged layer is only found, and 0 when it is repaired', async () => {
    const { layer } = await paths()
    writeFileSync(join(layer, '\x1b[2Jnew'), '')
    const found = fsck()
    assert.equal(found.status, 1)
    assert.match(found.stdout, /^error: layer-damaged: [^\n]+\nChecked [^\n]+: 1 finding, problems remain\n$/)
    assert.ok(!found.stdout.includes('\x1b'), 'a file name reached the terminal as it is')
    const repaired = fsck('-q', '--repair')
    assert.equal(repaired.status, 0)
    assert.match(repaired.stdout, /^error: layer-damaged: [^\n]+ \(repaired\)\n$/)
    assert.deepEqual(fsck(), { status: 0, stdout: CLEAN, stderr: '' })
  })

  it('names what has to be loaded again, which is all there is to do', async () => {
    const { layer, blob } = await paths()
    rmSync(layer, { recursive: true })
    rmSync(blob)
    assert.equal(fsck().status, 1)
    const repaired = fsck('--repair')
    assert.equal(repaired.status, 0, repaired.stdout)
    assert.match(repaired.stdout, /, clean now\nTo be pulled or loaded again: starter:latest\n$/)
    engine.loadStarter()
    assert.deepEqual(fsck(), { status: 0, stdout: CLEAN, stderr: '' })
  })

  it('refuses arguments and an engine that is not there, with a status', () => {
    assert.equal(fsck('all').status, 1)
    const env = { DOCKER_HOST: `unix://${engine.directory}/none.sock` }
    const { status, stderr } = engine.gantry(['system', 'fsck'], { env })
    assert.equal(status, 1)
    assert.match(stderr, /Cannot connect to the Docker daemon/)
  })
})
