import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anonymousVolumes, planMounts } from './mount-points.ts'
import type { HostConfig } from './configuration.ts'
import type { Container } from './types.ts'

type Given = Partial<Pick<HostConfig, 'binds' | 'mounts' | 'volumesFrom' | 'tmpfs'>>

function plan(given: Given, volumes: string[] = [], find: (ref: string) => Container = () => assert.fail('no container asked for')) {
  const host = { binds: [], mounts: [], volumesFrom: [], volumeDriver: '', tmpfs: {}, ...given }
  return planMounts({ volumes }, host, find, (ref) => `sha256:${ref}`)
}

describe('planMounts', () => {
  it('makes an anonymous volume for a VOLUME that nothing covers', () => {
    const planned = plan({ binds: ['data:/covered', '/host:/also'] }, ['/covered', '/free/', '/also'])
    assert.deepEqual(
      planned.map(({ point }) => [point.type, point.destination, point.mode]),
      [
        ['volume', '/covered', 'z'],
        ['bind', '/also', ''],
        ['volume', '/free', ''],
      ],
    )
    assert.match(planned[2]?.point.name ?? '', /^[0-9a-f]{64}$/)
    assert.equal(anonymousVolumes({ mounts: planned.map(({ point }) => point) }).length, 1)
  })

  it('leaves a VOLUME to a tmpfs', () => {
    assert.deepEqual(plan({ tmpfs: { '/run/': '' } }, ['/run']).length, 1)
    assert.deepEqual(plan({ tmpfs: { '/run': '' } }, ['/run']), [])
  })

  it('refuses a target named twice', () => {
    const message = 'Duplicate mount point: /data'
    assert.throws(() => plan({ binds: ['a:/data', 'b:/data/'] }), { message })
    assert.throws(() => plan({ binds: ['a:/data'], tmpfs: { '/data': '' } }), { message })
    const mounts = [{ type: 'volume' as const, source: 'b', target: '/data', readOnly: false, consistency: '' }]
    assert.throws(() => plan({ binds: ['a:/data'], mounts }), { message })
  })

  it('takes over the mounts of another container, read-only when asked', () => {
    const point = { ...plan({ binds: ['data:/data'] })[0]?.point, source: '/volumes/data' } as Container['mounts'][number]
    const planned = plan({ volumesFrom: ['other:ro'], binds: ['own:/own'] }, [], () => ({ mounts: [point] }) as Container)
    assert.deepEqual(
      planned.map(({ point: { name, destination, rw } }) => [name, destination, rw]),
      [
        ['data', '/data', false],
        ['own', '/own', true],
      ],
    )
  })

  it('keeps the name and the id of an image that is mounted, and never writes to it', () => {
    const mounts = [
      { type: 'image' as const, source: 'tools:1', target: '/tools', readOnly: false, consistency: '', image: { subpath: 'bin' } },
    ]
    const [planned] = plan({ mounts })
    assert.deepEqual(
      [planned?.point.name, planned?.point.spec.source, planned?.point.rw, planned?.point.propagation, planned?.copy],
      ['tools:1', 'sha256:tools:1', false, 'rprivate', false],
    )
  })

  it('refuses subpaths that lead out', () => {
    const message = 'invalid mount config for type "volume": subpath must be a relative path within the volume'
    for (const subpath of ['/abs', '..', 'a/../../b']) {
      const volume = { noCopy: false, labels: {}, driver: '', driverOptions: {}, subpath }
      const mounts = [{ type: 'volume' as const, source: 'v', target: '/t', readOnly: false, consistency: '', volume }]
      assert.throws(() => plan({ mounts }), { message })
    }
  })

  it('gives -v precedence over --volumes-from', () => {
    const point = plan({ binds: ['theirs:/data'] })[0]?.point as Container['mounts'][number]
    const planned = plan({ volumesFrom: ['other'], binds: ['mine:/data'] }, [], () => ({ mounts: [point] }) as Container)
    assert.deepEqual(
      planned.map(({ point: { name } }) => name),
      ['mine'],
    )
  })
})
