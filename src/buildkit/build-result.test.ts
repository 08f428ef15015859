import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { vertex, type BuildResult } from '#build'
import { create, gateway, type MessageInitShape } from '#grpc'
import { fromResult } from './build-result.ts'

const HOST = { os: 'linux', architecture: 'amd64' }

function resultOf(message: MessageInitShape<typeof gateway.ResultSchema>): BuildResult {
  const refs = { find: (): undefined => {} }
  return fromResult(create(gateway.ResultSchema, message), { given: [] }, refs, HOST)
}

function imagesOf(message: MessageInitShape<typeof gateway.ResultSchema>): string[] {
  return resultOf(message).images.map(({ id }) => id)
}

describe('fromResult', () => {
  it('takes an empty file system for an image when the client gives a reference or a config', () => {
    assert.deepEqual(imagesOf({ result: { case: 'ref', value: { id: '' } } }), ['linux/amd64'])
    assert.deepEqual(imagesOf({ metadata: { 'containerimage.config': Buffer.from('{}') } }), ['linux/amd64'])
    assert.deepEqual(imagesOf({}), [])
  })

  it('reads a config as Go writes one of which little is known', () => {
    const config = { architecture: '', os: '', config: { Env: ['A=b'], Cmd: null }, rootfs: { type: '', diff_ids: null } }
    const [image] = resultOf({ metadata: { 'containerimage.config': Buffer.from(JSON.stringify(config)) } }).images
    assert.deepEqual(image?.config, {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [] },
      config: { Env: ['A=b'] },
    })
  })

  it('takes the platform of a config where nothing else says one', () => {
    const config = { architecture: 'arm64', os: 'linux', variant: 'v8' }
    const [image] = resultOf({ metadata: { 'containerimage.config': Buffer.from(JSON.stringify(config)) } }).images
    assert.deepEqual(image?.platform, { os: 'linux', architecture: 'arm64' })
  })

  it('refuses configs and lists of platforms that say nothing', () => {
    const withConfig = (config: unknown) => () => resultOf({ metadata: { 'containerimage.config': Buffer.from(JSON.stringify(config)) } })
    assert.throws(withConfig(null), /invalid null image config for export/)
    assert.throws(withConfig({ architecture: 'amd64' }), /os and architecture must be specified together/)
    const withPlatforms = (platforms: unknown) => () => resultOf({ metadata: { 'refs.platforms': Buffer.from(JSON.stringify(platforms)) } })
    assert.throws(withPlatforms(null), /invalid empty platforms index for exporter/)
    assert.throws(withPlatforms({ Platforms: [{}] }), /invalid empty platform key for exporter/)
    assert.throws(withPlatforms({ Platforms: [{ ID: 'foo', Platform: {} }] }), /invalid platform value \{\} for exporter/)
  })

  it('makes no image of what was asked about a Dockerfile', () => {
    const metadata = { 'result.json': Buffer.from('{}'), 'result.txt': Buffer.from('') }
    assert.deepEqual(imagesOf({ metadata }), [])
    assert.deepEqual(imagesOf({ result: { case: 'ref', value: { id: '' } }, metadata }), [])
  })

  it('takes a bundle of statements, and no other attestation', () => {
    const edge = { vertex: vertex({ kind: 'merge' }, [], { name: '' }), output: 0 }
    const withAttestations = (...attestation: MessageInitShape<typeof gateway.AttestationSchema>[]): BuildResult => {
      const message = create(gateway.ResultSchema, {
        result: { case: 'refs', value: { refs: { 'linux/amd64': { id: '' } } } },
        attestations: { 'linux/amd64': { attestation } },
      })
      return fromResult(message, { given: [] }, { find: (id) => (id === 'found' ? edge : undefined) }, HOST)
    }
    const bundle = { kind: gateway.AttestationKind.Bundle, ref: { id: 'found' } }
    assert.equal(withAttestations(bundle).images[0]?.statements, edge)
    assert.equal(withAttestations().images[0]?.statements, undefined)
    for (const others of [[bundle, bundle], [{ ref: { id: 'found' }, path: '/x' }], [{ ...bundle, path: '/x' }]]) {
      assert.throws(() => withAttestations(...others), { code: 'NOT_IMPLEMENTED' })
    }
  })
})
