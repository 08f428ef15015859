import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryMetadata } from '#metadata'
import { digestOf, parseReference } from '#oci'
import { createBlobPlaces } from './blob-places.ts'

const BLOB = digestOf('blob')

function places(...names: string[]) {
  const metadata = createMemoryMetadata()
  const made = createBlobPlaces({ metadata })
  for (const name of names) made.add(BLOB, parseReference(name))
  return { made, metadata }
}

describe('mountSource', () => {
  it('names another repository of the same registry', () => {
    const { made } = places('r:5000/a/b', 'quay.io/a/c', 'alpine')
    assert.equal(made.mountSource(BLOB, parseReference('r:5000/x')), 'a/b')
    assert.equal(made.mountSource(BLOB, parseReference('me/app')), 'library/alpine')
    assert.equal(made.mountSource(BLOB, parseReference('r:5000/a/b:2')), undefined)
    assert.equal(made.mountSource(BLOB, parseReference('r:5001/x')), undefined)
    assert.equal(made.mountSource(digestOf('other'), parseReference('r:5000/x')), undefined)
  })

  it('prefers what is most alike, then what was seen last', () => {
    const { made } = places('r:5000/team/app/base', 'r:5000/other', 'r:5000/team/tools', 'r:5000/latest')
    assert.equal(made.mountSource(BLOB, parseReference('r:5000/team/app/web')), 'team/app/base')
    assert.equal(made.mountSource(BLOB, parseReference('r:5000/mine')), 'latest')
  })
})

describe('add', () => {
  it('keeps the latest few, also for the next daemon', () => {
    const { metadata } = places(...Array.from({ length: 12 }, (_, n) => `r:5000/a${n}`))
    assert.deepEqual(
      metadata.repository('blobPlaces').get(BLOB),
      Array.from({ length: 8 }, (_, n) => `r:5000/a${n + 4}`),
    )
    assert.equal(createBlobPlaces({ metadata }).mountSource(BLOB, parseReference('r:5000/x')), 'a11')
  })
})

describe('retain', () => {
  it('forgets what is gone', () => {
    const { made, metadata } = places('r:5000/a')
    made.retain(new Set([BLOB]))
    assert.equal(made.mountSource(BLOB, parseReference('r:5000/b')), 'a')
    made.retain(new Set())
    assert.equal(made.mountSource(BLOB, parseReference('r:5000/b')), undefined)
    assert.deepEqual(metadata.repository('blobPlaces').all(), [])
  })
})
