import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkMount, parseBind, parseVolumesFrom } from './parse-bind.ts'
import type { MountRequest } from './configuration.ts'

describe('parseBind', () => {
  it('reads a path of the host', () => {
    const { request, destination, mode, propagation, readOnly } = parseBind('/src//a/../b:/dst/:ro,z,rshared', '')
    assert.deepEqual(
      { destination, mode, propagation, readOnly },
      { destination: '/dst', mode: 'ro,z,rshared', propagation: 'rshared', readOnly: true },
    )
    assert.equal(request.type, 'bind')
    assert.equal(request.source, '/src/b')
    assert.equal(request.bind?.createMountpoint, true)
  })

  it('reads a named and an anonymous volume', () => {
    const named = parseBind('data:/var/lib/data:nocopy', '')
    assert.deepEqual([named.request.type, named.request.source, named.copy, named.propagation], ['volume', 'data', false, ''])
    const anonymous = parseBind('/var/lib/data', '')
    assert.deepEqual([anonymous.request.type, anonymous.request.source, anonymous.destination], ['volume', '', '/var/lib/data'])
  })

  const refused: [string, string][] = [
    ['', "invalid volume specification: ''"],
    [':/a', "invalid volume specification: ':/a'"],
    ['/a:ro', "invalid volume specification: '/a:ro'"],
    ['a:b:c:d', "invalid volume specification: 'a:b:c:d'"],
    ['/a:/b:nonsense', 'invalid mode: nonsense'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    ['/a:/', `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`],
    [
      '/a:b',
      `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
    ],
    [
      'data:/b:rshared',
      `invalid volume specification: 'data:/b:rshared': invalid mount config for type "volume": field BindOptions must not be specified`,
    ],
  ]
  for (const [raw, message] of refused) {
    it(`refuses ${JSON.stringify(raw)}`, () => assert.throws(() => parseBind(raw, ''), { code: 'INVALID_ARGUMENT', message }))
  }
})

describe('checkMount', () => {
  const request = (change: Partial<MountRequest>): MountRequest => ({
    type: 'volume',
    source: '',
    target: '/data',
    readOnly: false,
    consistency: '',
    ...change,
  })

  const refused: [Partial<MountRequest>, string][] = [
    [{ target: '' }, 'invalid mount config for type "volume": field Target must not be empty'],
    [{ type: 'bind' }, 'invalid mount config for type "bind": field Source must not be empty'],
    [{ type: 'bind', source: 'a' }, `invalid mount config for type "bind": invalid mount path: 'a' mount path must be absolute`],
    [{ type: 'tmpfs', source: '/a' }, 'invalid mount config for type "tmpfs": field Source must not be specified'],
    [
      { type: 'tmpfs', tmpfs: { sizeBytes: 0, mode: 0, options: [['suid']] } },
      'invalid mount config for type "tmpfs": invalid option: suid',
    ],
    [{ tmpfs: { sizeBytes: 0, mode: 0, options: [] } }, 'invalid mount config for type "volume": field TmpfsOptions must not be specified'],
    [{ type: 'npipe', source: 'x' }, 'invalid mount config for type "npipe": mount type unknown'],
  ]
  for (const [change, message] of refused) {
    it(`refuses: ${message}`, () => assert.throws(() => checkMount(request(change)), { code: 'INVALID_ARGUMENT', message }))
  }

  it('gives a bind the default propagation and a volume none', () => {
    assert.equal(checkMount(request({ type: 'bind', source: '/a' })).propagation, 'rprivate')
    assert.equal(checkMount(request({})).propagation, '')
  })
})

describe('parseVolumesFrom', () => {
  it('reads container and mode', () => {
    assert.deepEqual(parseVolumesFrom('web'), { ref: 'web', mode: 'rw' })
    assert.deepEqual(parseVolumesFrom('web:ro'), { ref: 'web', mode: 'ro' })
  })

  it('refuses propagation and copy modes', () => {
    for (const bad of ['web:rshared', 'web:nocopy', 'web:x']) assert.throws(() => parseVolumesFrom(bad), /^EngineError: invalid mode: /)
  })
})
