import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from './digest.ts'
import { decodeImageConfig } from './image-config.ts'
import { decodeManifest, MAX_MANIFEST_SIZE } from './manifest.ts'

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const descriptor = { mediaType: 'application/x', digest: digestOf('x'), size: 1 }

describe('decodeManifest', () => {
  it('tells manifest from index by content', () => {
    const manifest = decodeManifest(bytes({ schemaVersion: 2, config: descriptor, layers: [descriptor] }))
    assert.equal(manifest.kind, 'manifest')
    const index = decodeManifest(
      bytes({ schemaVersion: 2, manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 'arm64' } }] }),
    )
    assert.equal(index.kind === 'index' && index.index.manifests[0]?.platform?.architecture, 'arm64')
  })

  const BAD: [string, unknown, RegExp][] = [
    ['a list', [], /not an object/],
    ['another schema', { schemaVersion: 1 }, /schema version 1/],
    ['manifest and index in one', { schemaVersion: 2, config: descriptor, layers: [], manifests: [] }, /either manifests or/],
    [
      'an index that calls itself a manifest',
      { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', manifests: [] },
      /index of media type/,
    ],
    [
      'a digest that is a path',
      { schemaVersion: 2, config: { ...descriptor, digest: '../../etc/passwd' }, layers: [] },
      /manifest.config.digest/,
    ],
    ['a negative size', { schemaVersion: 2, config: descriptor, layers: [{ ...descriptor, size: -1 }] }, /layers\[0\]\.size/],
    [
      'layers without end',
      { schemaVersion: 2, config: descriptor, layers: Array.from({ length: 2000 }, () => descriptor) },
      /at most 1024/,
    ],
  ]
  for (const [name, value, message] of BAD) {
    it(`refuses ${name}`, () => assert.throws(() => decodeManifest(bytes(value)), { code: 'INVALID_ARGUMENT', message }))
  }

  it('refuses a document over the limit before it parses it', () => {
    assert.throws(() => decodeManifest(Buffer.alloc(MAX_MANIFEST_SIZE + 1)), /at most/)
  })
})

describe('decodeImageConfig', () => {
  it('refuses a member that it does not know and that is nested too deeply', () => {
    const text = `{"rootfs":{"type":"layers"},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    assert.throws(() => decodeImageConfig(Buffer.from(text)), { code: 'INVALID_ARGUMENT' })
  })

  it('keeps unknown members and drops nulls', () => {
    const config = decodeImageConfig(
      bytes({
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: null },
        config: { Env: null, Cmd: ['sh'] },
        extra: { a: 1 },
      }),
    )
    assert.deepEqual(config.config, { Cmd: ['sh'] })
    assert.deepEqual(config.rootfs.diff_ids, [])
    assert.deepEqual(config['extra'], { a: 1 })
  })

  const base = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }
  const BAD: [string, unknown, RegExp][] = [
    ['no rootfs', { architecture: 'amd64', os: 'linux' }, /rootfs/],
    ['Env as a string', { ...base, config: { Env: 'PATH=/' } }, /config\.Env: not a list/],
    ['a number in Cmd', { ...base, config: { Cmd: ['a', 1] } }, /Cmd\[1\]: not a string/],
    ['labels that are no strings', { ...base, config: { Labels: { a: 1 } } }, /Labels\.a/],
    ['a diff id that is no digest', { ...base, rootfs: { type: 'layers', diff_ids: ['sha256:1'] } }, /diff_ids\[0\]/],
    ['history that is no list', { ...base, history: {} }, /history/],
    ['a healthcheck with text for numbers', { ...base, config: { Healthcheck: { Interval: '1s' } } }, /Healthcheck\.Interval/],
  ]
  for (const [name, value, message] of BAD) {
    it(`refuses ${name}`, () => assert.throws(() => decodeImageConfig(bytes(value)), { code: 'INVALID_ARGUMENT', message }))
  }
})
