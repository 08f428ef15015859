import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyEdits } from './apply-edits.ts'
import { sampleSpec } from './testing/sample-spec.ts'
import type { ContainerEdits, DeviceNode } from './types.ts'

function edits(changes: Partial<ContainerEdits>): ContainerEdits {
  return { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [], unsupported: [], ...changes }
}

function node(changes: Partial<DeviceNode>): ContainerEdits {
  return edits({ deviceNodes: [{ path: '/dev/a', hostPath: '', type: '', major: 0, minor: 0, permissions: '', ...changes }] })
}

/** Every path is the character device 10:200. */
const lookAt = (): { mode: bigint; rdev: bigint } => ({ mode: 0o020666n, rdev: (10n << 8n) | 200n })

describe('applyEdits', () => {
  it('sets variables at their place, adds groups once, and leaves what it was given alone', () => {
    const before = sampleSpec()
    const { process } = applyEdits(before, [edits({ env: ['A=cdi', 'B=1'], additionalGids: [0, 44, 44] })])
    assert.deepEqual(process.env, ['PATH=/bin', 'A=cdi', 'B=1'])
    assert.deepEqual(process.user.additionalGids, [0, 44])
    assert.deepEqual(before, sampleSpec())
  })

  it('takes the numbers of the host where a node has none, and lets the node be used', () => {
    const { linux } = applyEdits(sampleSpec(), [node({ permissions: 'r' })], lookAt)
    assert.deepEqual(linux.devices, [{ type: 'c', major: 10, minor: 200, path: '/dev/a', uid: 0, gid: 0 }])
    assert.deepEqual(linux.resources?.devices?.at(-1), { allow: true, type: 'c', major: 10, minor: 200, access: 'r' })
  })

  it('does not look where type and number are given, and gives the node to the user of the process', () => {
    const spec = sampleSpec()
    const user = { ...spec, process: { ...spec.process, user: { uid: 7, gid: 8 } } }
    const { linux } = applyEdits(user, [node({ type: 'b', major: 8, minor: 1, fileMode: 0o600, permissions: 'none' })], () => {
      throw new Error('looked')
    })
    assert.deepEqual(linux.devices, [{ type: 'b', major: 8, minor: 1, path: '/dev/a', fileMode: 0o600, uid: 7, gid: 8 }])
    assert.equal(linux.resources?.devices?.length, 1)
  })

  it('refuses a node that the host lacks, one of another type, and what is no node', () => {
    const refused = (changes: Partial<DeviceNode>, message: string): void =>
      assert.throws(() => applyEdits(sampleSpec(), [node(changes)]), {
        code: 'INVALID_ARGUMENT',
        message: `failed to inject devices: ${message}`,
      })
    refused({ path: '/dev/no-such' }, 'failed to stat CDI host device "/dev/no-such": no such file or directory')
    refused({ hostPath: '/etc/passwd' }, 'failed to stat CDI host device "/etc/passwd": not a device node')
    refused({ hostPath: '/dev/null', type: 'b' }, 'CDI device ("/dev/a", "/dev/null"), host type mismatch (b, c)')
  })

  it('puts mounts after what they are in, in the place of one that is there', () => {
    const mounts = ['/srv/data', '/opt'].map((containerPath) => ({ hostPath: '/x', containerPath, options: ['ro'], type: '' }))
    const spec = applyEdits(sampleSpec(), [edits({ mounts })])
    assert.deepEqual(
      spec.mounts.map(({ destination, source }) => `${source} ${destination}`),
      ['proc /proc', '/x /opt', '/x /srv/data'],
    )
    assert.deepEqual(spec.mounts[1], { destination: '/opt', source: '/x', type: 'bind', options: ['rbind', 'ro'] })
  })

  it('gathers hooks by their moment', () => {
    const hook = { path: '/bin/h', args: ['h'], env: [] }
    const first = edits({ hooks: [{ hookName: 'poststop', ...hook }] })
    const second = edits({ hooks: [{ hookName: 'poststop', ...hook, timeout: 3 }] })
    assert.deepEqual(applyEdits(sampleSpec(), [first, second]).hooks, { poststop: [hook, { ...hook, timeout: 3 }] })
  })
})
