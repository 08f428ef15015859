import assert from 'node:assert/strict'
import {
  existsSync,
  readdirSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createFakeMounts, createFiles } from '#kernel'
import { createMemoryMetadata } from '#metadata'
import { createVolumeService, type VolumeRow } from './volume-service.ts'
import type { CreateVolumeRequest, VolumeService } from './types.ts'

let root: string
let volumes: VolumeService
let metadata: ReturnType<typeof createMemoryMetadata>
let mounts: ReturnType<typeof createFakeMounts>

function open(): VolumeService {
  return createVolumeService({
    directory: join(root, 'volumes'),
    repository: metadata.repository<VolumeRow>('volumes'),
    files: createFiles(),
    mounts,
  })
}

function request(name: string, more: Partial<CreateVolumeRequest> = {}): CreateVolumeRequest {
  return { name, driver: '', options: {}, labels: {}, ...more }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gantry-volumes-'))
  metadata = createMemoryMetadata()
  mounts = createFakeMounts()
  volumes = open()
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

/** As a daemon that was killed in the middle of a copy leaves the row. */
function markFilling(name: string): void {
  const rows = metadata.repository<VolumeRow>('volumes')
  rows.put(name, { ...(rows.get(name) ?? assert.fail('no row')), filling: '' })
}

describe('VolumeService', () => {
  it('create makes the directory and a second create gives the same volume', async () => {
    const { volume, created } = await volumes.create(request('data', { labels: { a: 'b' } }))
    assert.equal(created, true)
    assert.equal(volume.mountpoint, join(root, 'volumes/data/_data'))
    assert.equal(lstatSync(volume.mountpoint).mode & 0o777, 0o755)
    assert.deepEqual(await volumes.create(request('data', { labels: { other: '' } })), { volume, created: false })
    assert.deepEqual(volumes.known(), [volume])
  })

  it('create chooses 64 hex digits for an empty name', async () => {
    const { volume } = await volumes.create(request('', { anonymous: true }))
    assert.match(volume.name, /^[0-9a-f]{64}$/)
    assert.equal(volume.anonymous, true)
  })

  it('create refuses bad names, options and drivers with the texts of Docker', async () => {
    const refused = (more: Partial<CreateVolumeRequest>, code: string, message: string): Promise<void> =>
      assert.rejects(volumes.create(request('xx', more)), { code, message })
    await refused(
      { name: 'a' },
      'INVALID_ARGUMENT',
      'create a: volume name is too short, names should be at least two alphanumeric characters',
    )
    for (const name of ['../etc', 'a/b', '.hidden', '-x']) {
      await assert.rejects(volumes.create(request(name)), {
        code: 'INVALID_ARGUMENT',
        message: /includes invalid characters for a local volume name/,
      })
    }
    await refused({ options: { colour: 'red' } }, 'INVALID_ARGUMENT', 'create xx: invalid option: "colour"')
    await refused({ options: { type: 'tmpfs' } }, 'INVALID_ARGUMENT', 'create xx: missing required option: "device"')
    await refused({ options: { size: '1g' } }, 'INVALID_ARGUMENT', 'create xx: quota size requested but no quota support')
    await refused({ options: { size: 'big' } }, 'INVALID_ARGUMENT', "create xx: invalid size: 'big'")
    const cifs = { type: 'cifs', device: '//server:445/share' }
    await refused({ options: cifs }, 'INVALID_ARGUMENT', "create xx: port not allowed in CIFS device URL, include 'port' in 'o='")
    await refused({ driver: 'rexray' }, 'NOT_FOUND', 'create xx: error looking up volume plugin rexray: plugin "rexray" not found')
    assert.deepEqual(volumes.known(), [])
    assert.equal(existsSync(join(root, 'volumes/xx')), false)
  })

  it('remove refuses a volume in use and deletes it afterwards', async () => {
    const { volume } = await volumes.create(request('data', { reference: 'c1' }))
    volumes.reference('data', 'c2')
    await assert.rejects(volumes.remove('data', { force: true }), { code: 'CONFLICT', message: 'remove data: volume is in use - [c1, c2]' })
    volumes.dereference('data', 'c1')
    volumes.dereference('data', 'c2')
    writeFileSync(join(volume.mountpoint, 'file'), 'x')
    await volumes.remove('data', { force: false })
    assert.equal(existsSync(join(root, 'volumes/data')), false)
    await assert.rejects(volumes.remove('data', { force: false }), { code: 'NOT_FOUND', message: 'get data: no such volume' })
    await volumes.remove('data', { force: true })
  })

  it('prune takes unused anonymous volumes, and all of them when asked, by label', async () => {
    await volumes.create(request('optional', { options: { type: 'none', device: '/srv', o: 'bind' } }))
    for (const name of ['named', 'kept', 'labelled']) await volumes.create(request(name, name === 'labelled' ? { labels: { k: 'v' } } : {}))
    const { volume } = await volumes.create(request('', { anonymous: true }))
    writeFileSync(join(volume.mountpoint, 'file'), 'x'.repeat(100))
    volumes.reference('kept', 'c1')
    assert.deepEqual(await volumes.prune({ label: [], labelNot: [], all: false }), { deleted: [volume.name], reclaimed: 100 })
    assert.deepEqual((await volumes.prune({ label: ['k=v'], labelNot: [], all: true })).deleted, ['labelled'])
    assert.deepEqual((await volumes.prune({ label: [], labelNot: ['k'], all: true })).deleted, ['named'])
    assert.deepEqual(
      volumes.known().map(({ name }) => name),
      ['optional', 'kept'],
      'what a device holds is not pruned',
    )
  })

  it('usage is what the disk gives: hard links once, holes not at all', async () => {
    const { volume } = await volumes.create(request('data'))
    mkdirSync(join(volume.mountpoint, 'd'))
    writeFileSync(join(volume.mountpoint, 'd/a'), 'x'.repeat(1000))
    linkSync(join(volume.mountpoint, 'd/a'), join(volume.mountpoint, 'b'))
    const before = await volumes.usage('data')
    assert.equal(before % 512, 0)
    assert.ok(before >= 1000 && before < 100_000, String(before))
    writeFileSync(join(volume.mountpoint, 'sparse'), '')
    truncateSync(join(volume.mountpoint, 'sparse'), 1e9)
    assert.ok((await volumes.usage('data')) - before < 100_000)
  })

  it('populate copies content, links, modes and times into an empty volume, and into no other', async () => {
    const source = join(root, 'source')
    mkdirSync(join(source, 'sub'), { recursive: true, mode: 0o750 })
    writeFileSync(join(source, 'sub/file'), 'content', { mode: 0o640 })
    linkSync(join(source, 'sub/file'), join(source, 'hard'))
    symlinkSync('/etc/passwd', join(source, 'soft'))
    utimesSync(join(source, 'sub/file'), 1000, 2000)
    utimesSync(source, 3000, 4000)
    const { volume } = await volumes.create(request('data'))
    await volumes.populate('data', source)
    const at = (path: string): string => join(volume.mountpoint, path)
    assert.equal(readFileSync(at('sub/file'), 'utf8'), 'content')
    assert.equal(lstatSync(at('sub/file')).mode & 0o777, 0o640)
    assert.equal(lstatSync(at('sub/file')).mtimeMs, 2_000_000)
    assert.equal(lstatSync(at('hard')).ino, lstatSync(at('sub/file')).ino)
    assert.equal(lstatSync(at('soft')).isSymbolicLink(), true)
    assert.equal(lstatSync(volume.mountpoint).mode & 0o777, lstatSync(source).mode & 0o777)
    assert.equal(lstatSync(volume.mountpoint).mtimeMs, 4_000_000)
    writeFileSync(join(source, 'new'), '')
    await volumes.populate('data', source)
    assert.equal(existsSync(at('new')), false)
  })

  it('a copy that was cut off is begun anew while it grew, and brought to its end once it was whole', async () => {
    const source = join(root, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'a'), 'new')
    const { volume } = await volumes.create(request('growing'))
    const left = (name: string, file: string): void => {
      mkdirSync(join(volume.mountpoint, name))
      writeFileSync(join(volume.mountpoint, name, file), 'old')
      markFilling('growing')
    }
    left('.gantry-filling', 'a')
    await volumes.populate('growing', source)
    assert.deepEqual(readdirSync(volume.mountpoint), ['a'])
    assert.equal(readFileSync(join(volume.mountpoint, 'a'), 'utf8'), 'new')
    rmSync(join(volume.mountpoint, 'a'))
    left('.gantry-filled', 'b')
    await volumes.populate('growing', source)
    assert.deepEqual(readdirSync(volume.mountpoint), ['b'], 'full: nothing more is copied')
    left('.gantry-filling', 'c')
    await volumes.activate('growing', 'c1')
    assert.deepEqual(readdirSync(volume.mountpoint), ['b'], 'no container sees a copy that is not finished')
  })

  it('what looks like the rest of a copy is left alone when none was under way', async () => {
    const source = join(root, 'source')
    mkdirSync(source)
    const { volume } = await volumes.create(request('data'))
    const planted = join(volume.mountpoint, '.gantry-filled')
    mkdirSync(planted, { mode: 0o700 })
    writeFileSync(join(planted, 'file'), '')
    const before = lstatSync(volume.mountpoint).mode
    await volumes.activate('data', 'c1')
    await volumes.populate('data', source)
    await open().restore()
    assert.deepEqual(readdirSync(volume.mountpoint), ['.gantry-filled'])
    assert.equal(lstatSync(volume.mountpoint).mode, before)
  })

  it('a copy that failed is remembered, and cleared away by the next', async () => {
    const source = join(root, 'source')
    const { volume } = await volumes.create(request('data'))
    const rows = metadata.repository<VolumeRow>('volumes')
    await assert.rejects(volumes.populate('data', source))
    assert.equal(rows.get('data')?.filling, '')
    mkdirSync(source)
    writeFileSync(join(source, 'a'), '')
    await volumes.populate('data', source)
    assert.deepEqual(readdirSync(volume.mountpoint), ['a'])
    assert.equal(rows.get('data')?.filling, undefined)
    assert.equal('filling' in (await volumes.get('data')), false)
  })

  it('populate fills a directory of the volume, and leaves one that is not there', async () => {
    const source = join(root, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'a'), '')
    const { volume } = await volumes.create(request('data'))
    mkdirSync(join(volume.mountpoint, 'sub'))
    await volumes.populate('data', source, 'sub')
    await volumes.populate('data', source, 'missing')
    assert.deepEqual(new Set(readdirSync(volume.mountpoint, { recursive: true, encoding: 'utf8' })), new Set(['sub', 'sub/a']))
  })

  it('activate mounts what the options say, once, and a plain volume not at all', async () => {
    await volumes.create(request('plain'))
    await volumes.activate('plain', 'c1')
    await volumes.deactivate('plain', 'c1')
    assert.deepEqual(mounts.calls, [])
    const { volume } = await volumes.create(request('bound', { options: { type: 'none', device: '/srv', o: 'bind,ro,rslave' } }))
    await volumes.activate('bound', 'c1')
    const MS_BIND = 0x1000
    const MS_REC = 0x4000
    const call = { call: 'mount', source: '', target: volume.mountpoint, type: '', data: '' }
    assert.deepEqual(mounts.calls, [
      { ...call, source: '/srv', type: 'none', flags: MS_BIND },
      { ...call, flags: MS_BIND | 0x20 | 0x1 },
      { ...call, flags: (1 << 19) | MS_REC },
    ])
  })

  it('restore adopts directories without a row, forgets rows without a directory, deletes leftovers', async () => {
    await volumes.create(request('kept'))
    const { volume } = await volumes.create(request('lost'))
    rmSync(join(volume.mountpoint, '..'), { recursive: true })
    mkdirSync(join(root, 'volumes/found/_data'), { recursive: true })
    mkdirSync(join(root, 'volumes/.removed-1/_data'), { recursive: true })
    volumes = open()
    await volumes.restore()
    assert.deepEqual(
      volumes.known().map(({ name }) => name),
      ['kept', 'found'],
    )
    assert.equal(existsSync(join(root, 'volumes/.removed-1')), false)
  })
})
