/** Needs root: runs itself again inside `unshare -m -n`, so that nothing touches the machine's mounts. */
import assert from 'node:assert/strict'
import { constants, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createFiles, createMounts } from '#kernel'
import { unshared } from '../unshared.ts'

unshared(import.meta.filename, () => {
  suite('mounts on a real kernel', () => {
    const files = createFiles()
    const mounts = createMounts()
    let root = ''
    before(() => {
      root = mkdtempSync(join(tmpdir(), 'gantry-mounts-'))
      mounts.mount('tmpfs', root, 'tmpfs', 0, 'size=16m')
      for (const name of ['1', '2', '3', 'upper', 'work']) mkdirSync(join(root, name))
      writeFileSync(join(root, '1/base'), 'base')
      writeFileSync(join(root, '1/hidden'), 'hidden')
      writeFileSync(join(root, '2/base'), 'changed')
      using layer = files.openRoot(join(root, '3'))
      files.mknodAt(layer.fd, 'hidden', constants.S_IFCHR, 0, 0)
    })
    after(() => {
      mounts.unmount(root, { detach: true })
      rmSync(root, { recursive: true })
    })

    test('overlay reads through all layers and honours whiteouts', () => {
      using view = mounts.overlay({ cwd: root, lower: ['3', '2', '1'], upper: '', work: '' })
      assert.equal(readFileSync(join(view.path, 'base'), 'utf8'), 'changed')
      assert.throws(() => lstatSync(join(view.path, 'hidden')), { code: 'ENOENT' })
      assert.throws(() => writeFileSync(join(view.path, 'x'), ''), { code: 'EROFS' })
    })

    test('overlay appears in no mount table', () => {
      const before = readFileSync('/proc/self/mountinfo', 'utf8')
      using _ = mounts.overlay({ cwd: root, lower: ['2', '1'], upper: '', work: '' })
      assert.equal(readFileSync('/proc/self/mountinfo', 'utf8'), before)
    })

    test('overlay writes to its upper directory', () => {
      using view = mounts.overlay({ cwd: root, lower: ['2', '1'], upper: 'upper', work: 'work' })
      writeFileSync(join(view.path, 'new'), 'x')
      assert.equal(readFileSync(join(root, 'upper/new'), 'utf8'), 'x')
    })

    test('overlay of one layer is that layer, read-only', () => {
      using view = mounts.overlay({ cwd: root, lower: ['1'], upper: '', work: '' })
      assert.equal(readFileSync(join(view.path, 'base'), 'utf8'), 'base')
      assert.throws(() => writeFileSync(join(view.path, 'base'), ''), { code: 'EROFS' })
    })

    test('overlay works with paths longer than fsconfig takes', () => {
      const deep = join(root, 'd'.repeat(200), 'e'.repeat(200))
      mkdirSync(join(deep, 'a'), { recursive: true })
      mkdirSync(join(deep, 'b'))
      writeFileSync(join(deep, 'b/file'), 'deep')
      using view = mounts.overlay({ cwd: deep, lower: ['a', 'b'], upper: '', work: '' })
      assert.equal(readFileSync(join(view.path, 'file'), 'utf8'), 'deep')
      assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes('gantry-overlay-'), false)
    })

    test('overlay names the directory when a layer is missing', () => {
      assert.throws(() => mounts.overlay({ cwd: root, lower: ['absent', '1'], upper: '', work: '' }), { code: 'ENOENT', message: /absent/ })
    })

    test('unmount fails when nothing is mounted', () => {
      assert.throws(() => mounts.unmount(join(root, '1')), { code: 'EINVAL' })
    })

    test('unmount does not follow a link to a mount', () => {
      symlinkSync(root, join(root, 'link'))
      assert.throws(() => mounts.unmount(join(root, 'link')), { code: 'EINVAL' })
    })

    test('setXattr sets trusted attributes', () => {
      files.setXattr(join(root, '1'), 'trusted.overlay.opaque', Buffer.from('y'))
      assert.equal(files.getXattr(join(root, '1'), 'trusted.overlay.opaque')?.toString(), 'y')
      files.removeXattr(join(root, '1'), 'trusted.overlay.opaque')
      files.syncfs(root)
    })

    test('a worker thread makes its own calls', async () => {
      const worker = new Worker(new URL('files-worker.ts', import.meta.url), { workerData: root })
      const exit = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
      assert.equal(exit, 7)
      assert.ok(lstatSync(join(root, 'from/worker')).isDirectory())
    })
  })
})
