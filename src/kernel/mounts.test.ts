import assert from 'node:assert/strict'
import { existsSync, openSync } from 'node:fs'
import { suite, test } from 'node:test'
import { createFakeSystemCalls } from './fake/fake-system-calls.ts'
import { createMounts, overlayOptions } from './mounts.ts'

suite('mounts', () => {
  test('mount passes empty strings as null', () => {
    const system = createFakeSystemCalls()
    createMounts(system).mount('', '/x', '', 0x1000, '')
    assert.deepEqual(system.calls, [{ name: 'mount', args: [null, '/x', null, 0x1000, null] }])
  })

  test('mount tells its story when it fails', () => {
    const system = createFakeSystemCalls(() => -1)
    assert.throws(() => createMounts(system).mount('proc', '/x', 'proc', 0, ''), {
      name: 'SyscallError',
      code: 'EPERM',
      message: 'mount proc /x proc: operation not permitted',
    })
  })

  test('unmount never follows a link', () => {
    const system = createFakeSystemCalls()
    createMounts(system).unmount('/x', { detach: true })
    createMounts(system).unmount('/x')
    assert.deepEqual(
      system.calls.map((call) => call.args),
      [
        ['/x', 10],
        ['/x', 8],
      ],
    )
  })

  test('overlay adds each lower directory by its absolute path', () => {
    const system = createFakeSystemCalls((call) => (call.name === 'fsopen' || call.name === 'fsmount' ? openSync('/dev/null', 'r') : 0))
    using mount = createMounts(system).overlay({
      cwd: '/root/layers',
      lower: ['2/diff', '/other/1'],
      upper: '../s/upper',
      work: '/root/s/work',
      volatile: true,
    })
    assert.equal(mount.path, `/proc/self/fd/${mount.fd}`)
    assert.deepEqual(
      system.calls.map((call) => [call.name, ...call.args.filter((argument, index) => call.name === 'fsopen' || index > 0)]),
      [
        ['fsopen', 'overlay', 1],
        ['fsconfig', 1, 'lowerdir+', '/root/layers/2/diff', 0],
        ['fsconfig', 1, 'lowerdir+', '/other/1', 0],
        ['fsconfig', 1, 'upperdir', '/root/s/upper', 0],
        ['fsconfig', 1, 'workdir', '/root/s/work', 0],
        ['fsconfig', 1, 'redirect_dir', 'off', 0],
        ['fsconfig', 1, 'metacopy', 'off', 0],
        ['fsconfig', 1, 'index', 'off', 0],
        ['fsconfig', 0, 'volatile', null, 0],
        ['fsconfig', 6, null, null, 0],
        ['fsmount', 1, 0],
      ],
    )
  })

  test('overlay mounts by option string when the kernel has no lowerdir+', () => {
    const targets: unknown[] = []
    const system = createFakeSystemCalls((call) => {
      if (call.name === 'mount') targets.push(call.args[1], call.args[3], call.args[4])
      return call.name === 'fsconfig' ? -22 : openSync('/dev/null', 'r')
    })
    using _ = createMounts(system).overlay({ cwd: '/l', lower: ['2', '1'], upper: '', work: '' })
    assert.deepEqual(
      system.calls.map((call) => call.name),
      ['fsopen', 'fsconfig', 'mount', 'open_tree', 'umount2'],
    )
    assert.deepEqual(targets.slice(1), [1, 'lowerdir=/l/2:/l/1'])
    assert.equal(existsSync(String(targets[0])), false)
  })

  test('overlay shows a single lower directory as it is, read-only', () => {
    const system = createFakeSystemCalls(() => openSync('/dev/null', 'r'))
    using _ = createMounts(system).overlay({ cwd: '/l', lower: ['1'], upper: '', work: '' })
    assert.deepEqual(
      system.calls.map((call) => call.name),
      ['open_tree', 'mount_setattr'],
    )
  })

  test('overlayOptions escapes what separates options', () => {
    assert.equal(
      overlayOptions({ cwd: '/', lower: ['/a:b', '/c,d'], upper: '/u,1', work: '/w' }),
      String.raw`lowerdir=/a\:b:/c\,d,upperdir=/u\,1,workdir=/w,redirect_dir=off,metacopy=off,index=off`,
    )
  })
})
