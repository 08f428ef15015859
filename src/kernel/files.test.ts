import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { SyscallError } from '#errors'
import { createFakeSystemCalls } from './fake/fake-system-calls.ts'
import { createFiles, makeDevice } from './files.ts'

suite('files', () => {
  const files = createFiles()
  let directory = ''
  let rootPath = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-files-'))
    rootPath = join(directory, 'root')
    mkdirSync(rootPath)
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  test('openInRoot stays inside when a link leads out', () => {
    writeFileSync(join(directory, 'secret'), 'host')
    mkdirSync(join(rootPath, 'etc'))
    writeFileSync(join(rootPath, 'secret'), 'inside')
    symlinkSync('../../../../secret', join(rootPath, 'etc/up'))
    symlinkSync('/secret', join(rootPath, 'etc/absolute'))
    using root = files.openRoot(rootPath)
    for (const path of ['etc/up', '/etc/absolute', '../secret']) {
      const fd = files.openInRoot(root.fd, path, constants.O_RDONLY)
      assert.equal(readFileSync(fd, 'utf8'), 'inside', path)
      closeSync(fd)
    }
  })

  test('openInRoot refuses magic links', () => {
    using root = files.openRoot('/proc/self')
    assert.throws(() => files.openInRoot(root.fd, 'cwd/package.json', constants.O_RDONLY), { code: 'ELOOP', syscall: 'openat2' })
  })

  test('openInRoot creates with the given mode', () => {
    using root = files.openRoot(rootPath)
    const fd = files.openInRoot(root.fd, 'new', constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    assert.equal(fstatSync(fd).mode & 0o777, 0o600)
    closeSync(fd)
  })

  test('openInRoot gives up when renames race for ever', () => {
    const system = createFakeSystemCalls(() => -11)
    assert.throws(() => createFiles(system).openInRoot(3, 'a', constants.O_RDONLY), { code: 'EAGAIN' })
    assert.equal(system.calls.length, 33)
  })

  test('openInRoot answers EINVAL when the path holds a NUL byte', () => {
    using root = files.openRoot(rootPath)
    assert.throws(() => files.openInRoot(root.fd, 'a\0b', constants.O_RDONLY), { code: 'EINVAL', errno: 22 })
  })

  test('mkdirInRoot makes missing parents and returns the last', () => {
    using root = files.openRoot(rootPath)
    const fd = files.mkdirInRoot(root.fd, '/a/b/c/', 0o755)
    assert.equal(fstatSync(fd).ino, statSync(join(rootPath, 'a/b/c')).ino)
    closeSync(fd)
  })

  test('mkdirInRoot makes the target inside the root when the name is a dangling link', () => {
    mkdirSync(join(rootPath, 'var'))
    symlinkSync('/run', join(rootPath, 'var/run'))
    symlinkSync('../lib', join(rootPath, 'var/lib'))
    using root = files.openRoot(rootPath)
    closeSync(files.mkdirInRoot(root.fd, 'var/run/lock', 0o755))
    closeSync(files.mkdirInRoot(root.fd, 'var/lib/x', 0o755))
    assert.ok(statSync(join(rootPath, 'run/lock')).isDirectory())
    assert.ok(statSync(join(rootPath, 'lib/x')).isDirectory())
  })

  test('mkdirInRoot fails when links go round', () => {
    symlinkSync('b', join(rootPath, 'a'))
    symlinkSync('a', join(rootPath, 'b'))
    using root = files.openRoot(rootPath)
    assert.throws(() => files.mkdirInRoot(root.fd, 'a/x', 0o755), { code: 'ELOOP' })
  })

  test('mkdirInRoot fails when a file is in the way', () => {
    writeFileSync(join(rootPath, 'file'), '')
    using root = files.openRoot(rootPath)
    assert.throws(() => files.mkdirInRoot(root.fd, 'file/x', 0o755), { code: 'ENOTDIR' })
  })

  test('xattrs come back as set', (t) => {
    const path = join(rootPath, 'file')
    writeFileSync(path, '')
    try {
      files.setXattr(path, 'user.probe', Buffer.from('x'))
    } catch (error) {
      if (error instanceof SyscallError && error.code === 'ENOTSUP') return t.skip('this file system has no user attributes')
      throw error
    }
    const long = Buffer.alloc(1000, 7)
    files.setXattr(path, 'user.long', long)
    files.setXattr(path, 'user.empty', Buffer.alloc(0))
    assert.deepEqual(files.getXattr(path, 'user.long'), long)
    assert.deepEqual(files.getXattr(path, 'user.empty'), Buffer.alloc(0))
    assert.equal(files.getXattr(path, 'user.none'), undefined)
    files.removeXattr(path, 'user.probe')
    assert.deepEqual(files.listXattr(path).toSorted(), ['user.empty', 'user.long'])
    assert.throws(() => files.getXattr(join(rootPath, 'absent'), 'user.x'), { code: 'ENOENT' })
  })

  test('listXattr is empty when the file has none', () => {
    assert.deepEqual(files.listXattr('/proc/self/status'), [])
  })

  test('dataExtents finds the data of a sparse file', () => {
    const fd = openSync(join(rootPath, 'sparse'), 'w+')
    const size = 16 << 20
    ftruncateSync(fd, size)
    assert.deepEqual(files.dataExtents(fd, size), [])
    writeSync(fd, Buffer.alloc(4096, 1), 0, 4096, 8 << 20)
    const extents = files.dataExtents(fd, size)
    const [extent] = extents
    assert.equal(extents.length, 1)
    assert.ok(extent !== undefined && extent.offset <= 8 << 20 && extent.offset + extent.length >= (8 << 20) + 4096 && extent.length < size)
    closeSync(fd)
  })

  test('dataExtents calls all of it data when the file system cannot tell', () => {
    const system = createFakeSystemCalls(() => -22)
    assert.deepEqual(createFiles(system).dataExtents(3, 100), [{ offset: 0, length: 100 }])
  })

  test('mknodAt passes the device as the kernel encodes it', () => {
    const system = createFakeSystemCalls()
    createFiles(system).mknodAt(5, 'null', 0o20666, 1, 3)
    assert.deepEqual(system.calls, [{ name: 'mknodat', args: [5, 'null', 0o20666, 0x103] }])
    assert.equal(makeDevice(259, 0x12345), (0x123 << 20) | 0x10345)
    assert.throws(() => makeDevice(4096, 0), { code: 'EINVAL' })
    assert.throws(() => createFiles(system).mknodAt(5, '../null', 0o20666, 1, 3), { code: 'EINVAL' })
  })

  test('setTimes sets nanoseconds, also before the epoch and on names that are not UTF-8', () => {
    const name = Buffer.concat([Buffer.from(`${rootPath}/`), Buffer.of(0xff)])
    writeFileSync(name, '')
    for (const mtime of [1_700_000_000_123_456_789n, -1_500_000_001n]) {
      files.setTimes(name, 5n, mtime)
      const stat = statSync(name, { bigint: true })
      assert.deepEqual([stat.atimeNs, stat.mtimeNs], [5n, mtime])
    }
  })

  test('openRoot closes once when disposed twice', () => {
    const root = files.openRoot(realpathSync(rootPath))
    root[Symbol.dispose]()
    const reused = openSync('/dev/null', 'r')
    root[Symbol.dispose]()
    assert.ok(fstatSync(reused).isCharacterDevice())
    closeSync(reused)
  })

  test('setOpenTimes sets nanoseconds', () => {
    const path = join(rootPath, 'file')
    const fd = openSync(path, 'w')
    files.setOpenTimes(fd, 1_234_567_890_123_456_789n, -1n)
    closeSync(fd)
    const { atimeNs, mtimeNs } = statSync(path, { bigint: true })
    assert.deepEqual([atimeNs, mtimeNs], [1_234_567_890_123_456_789n, -1n])
  })

  test('spreadSubdirectories sets the flag beside the others', () => {
    const asked: [unknown, number | undefined][] = []
    const system = createFakeSystemCalls(({ args: [, request, flags] }) => {
      const words = flags as Int32Array
      asked.push([request, words[0]])
      if (asked.length === 1) words[0] = 0x80000
      return 0
    })
    createFiles(system).spreadSubdirectories(rootPath)
    assert.deepEqual(asked, [
      [0x80086601, 0],
      [0x40086602, 0xa0000],
    ])
  })

  test('reserveSpace gives blocks to a file and leaves its length', () => {
    const path = join(rootPath, 'reserved')
    writeFileSync(path, 'text')
    files.reserveSpace(path, 1024 * 1024)
    const { size, blocks } = statSync(path)
    assert.equal(size, 4)
    assert.ok(blocks * 512 >= 1024 * 1024)
  })

  test('reserveSpace does nothing where it cannot', () => {
    files.reserveSpace('/proc/self/comm', 4096)
  })

  test('spreadSubdirectories leaves alone what knows no such flag', () => {
    files.spreadSubdirectories('/proc')
  })
})
