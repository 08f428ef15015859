/** Volumes with a device, mounted for real in a mount namespace of the test's own. Needs root. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createFiles, createMounts } from '#kernel'
import { createMemoryMetadata } from '#metadata'
import { createVolumeService, type VolumeRow, type VolumeService } from '#volumes'
import { unshared } from '../unshared.ts'

const TMPFS_MAGIC = 0x01021994
const MS_SHARED = 1 << 20

unshared(import.meta.filename, () => {
  let root: string
  let volumes: VolumeService
  const repository = createMemoryMetadata().repository<VolumeRow>('volumes')

  function open(): VolumeService {
    return createVolumeService({ directory: join(root, 'volumes'), repository, files: createFiles(), mounts: createMounts() })
  }

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'gantry-volumes-'))
    volumes = open()
  })

  after(() => rmSync(root, { recursive: true, force: true }))

  test('a tmpfs volume is there while somebody runs, and its content goes with the last', async () => {
    const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=700' }
    const { volume } = await volumes.create({ name: 'fast', driver: '', options, labels: {} })
    await volumes.activate('fast', 'one')
    await volumes.activate('fast', 'two')
    assert.equal(statfsSync(volume.mountpoint).type, TMPFS_MAGIC)
    assert.equal(statfsSync(volume.mountpoint).blocks * statfsSync(volume.mountpoint).bsize, 1 << 20)
    writeFileSync(join(volume.mountpoint, 'file'), 'x')
    await volumes.deactivate('fast', 'one')
    assert.ok(existsSync(join(volume.mountpoint, 'file')))
    await volumes.deactivate('fast', 'two')
    assert.equal(existsSync(join(volume.mountpoint, 'file')), false)
    await volumes.remove('fast', { force: false })
  })

  test('a bound directory is read only where asked, and removal leaves its content alone', async () => {
    const source = join(root, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'kept'), 'content')
    const { volume } = await volumes.create({
      name: 'bound',
      driver: '',
      options: { type: 'none', device: source, o: 'bind,ro' },
      labels: {},
    })
    await volumes.activate('bound', 'one')
    assert.equal(readFileSync(join(volume.mountpoint, 'kept'), 'utf8'), 'content')
    assert.throws(() => writeFileSync(join(volume.mountpoint, 'new'), ''), { code: 'EROFS' })
    volumes = open() // the next daemon finds the mount
    await volumes.restore()
    await volumes.activate('bound', 'one')
    await volumes.deactivate('bound', 'one')
    await volumes.remove('bound', { force: false })
    assert.equal(readFileSync(join(source, 'kept'), 'utf8'), 'content')
  })

  test('a device with mounts of its own is taken away whole, and the mounts of the host stay', async () => {
    const mounts = createMounts()
    const source = join(root, 'tree')
    const sub = join(source, 'sub')
    mkdirSync(source)
    mounts.mount('tmpfs', source, 'tmpfs', 0, '')
    mounts.mount('', source, '', MS_SHARED, '')
    mkdirSync(sub)
    mounts.mount('tmpfs', sub, 'tmpfs', 0, '')
    writeFileSync(join(sub, 'kept'), '')
    const options = { type: 'none', device: source, o: 'rbind' }
    const { volume } = await volumes.create({ name: 'tree', driver: '', options, labels: {} })
    await volumes.activate('tree', 'one')
    assert.ok(existsSync(join(volume.mountpoint, 'sub/kept')))
    await volumes.deactivate('tree', 'one')
    assert.equal(existsSync(join(volume.mountpoint, 'sub')), false)
    assert.ok(existsSync(join(sub, 'kept')))
    await volumes.remove('tree', { force: false })
    for (const path of [sub, source]) mounts.unmount(path)
  })

  test('a volume in which something else is mounted is not removed', async () => {
    const { volume } = await volumes.create({ name: 'busy', driver: '', options: {}, labels: {} })
    mkdirSync(join(volume.mountpoint, 'sub'))
    createMounts().mount('tmpfs', join(volume.mountpoint, 'sub'), 'tmpfs', 0, '')
    writeFileSync(join(volume.mountpoint, 'sub/kept'), '')
    await assert.rejects(volumes.remove('busy', { force: true }), { code: 'CONFLICT', message: 'remove busy: volume has active mounts' })
    assert.ok(existsSync(join(volume.mountpoint, 'sub/kept')))
    createMounts().unmount(join(volume.mountpoint, 'sub'))
    await volumes.remove('busy', { force: false })
  })

  test('a data directory behind a link is no way to delete through a mount', async () => {
    const source = join(root, 'linked-source')
    mkdirSync(source)
    writeFileSync(join(source, 'kept'), '')
    mkdirSync(join(root, 'real'))
    symlinkSync('real', join(root, 'link'))
    const linked = createVolumeService({
      directory: join(root, 'link/volumes'),
      repository: createMemoryMetadata().repository<VolumeRow>('volumes'),
      files: createFiles(),
      mounts: createMounts(),
    })
    await linked.create({ name: 'bound', driver: '', options: { type: 'none', device: source, o: 'bind' }, labels: {} })
    await linked.activate('bound', 'one')
    await linked.remove('bound', { force: false })
    assert.ok(existsSync(join(source, 'kept')))
  })

  test('a mount that fails is told, without passwords, and leaves nothing mounted', async () => {
    const options = { type: 'nosuchfs', device: 'x', o: 'password=secret,user=a' }
    await volumes.create({ name: 'broken', driver: '', options, labels: {} })
    await assert.rejects(volumes.activate('broken', 'one'), (error: Error) => {
      assert.match(error.message, /^error while mounting volume '.*broken\/_data': failed to mount local volume: /)
      assert.equal(error.message.includes('secret'), false)
      return true
    })
    await volumes.remove('broken', { force: false })
  })
})
