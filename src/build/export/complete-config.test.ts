import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ImageConfigFile, ImageHistoryEntry } from '#oci'
import { completeConfig } from './complete-config.ts'
import type { LayerFacts } from './complete-config.ts'

const OLD = '2010-01-01T00:00:00Z'
const NEW = Date.UTC(2024, 0, 1)

function layer(index: number, createdAt?: number): LayerFacts {
  return {
    diffId: `sha256:${String(index).repeat(64)}`,
    createdAt,
    description: createdAt === undefined ? undefined : `step ${index}`,
  }
}

function complete(history: ImageHistoryEntry[], layers: LayerFacts[], epoch?: number): ImageConfigFile {
  return completeConfig({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] }, history }, layers, { epoch })
}

describe('completeConfig', () => {
  it('gives an instruction after the base image the time of the first new layer, not of the base', () => {
    const { history, created } = complete(
      [
        { created_by: 'base', created: OLD },
        { created_by: 'ENV', empty_layer: true },
        { created_by: 'RUN' },
        { created_by: 'CMD', empty_layer: true },
      ],
      [layer(1), layer(2, NEW)],
    )
    assert.deepEqual(
      history?.map((entry) => entry.created),
      [OLD, '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    )
    assert.equal(created, '2024-01-01T00:00:00Z')
  })

  it('is as old as the base image when no layer is new', () => {
    const { history, created } = complete(
      [
        { created_by: 'base', created: OLD },
        { created_by: 'ENV', empty_layer: true },
      ],
      [layer(1)],
    )
    assert.deepEqual([history?.[1]?.created, created], [OLD, OLD])
  })

  it('adds an entry for a layer that the history does not know', () => {
    const { history } = complete([{ created_by: 'base', created: OLD }], [layer(1), layer(2, NEW)])
    assert.deepEqual(history?.[1], { created: '2024-01-01T00:00:00Z', created_by: 'step 2', comment: 'buildkit.exporter.image.v0' })
  })

  it('takes the layer from entries that there are too many of', () => {
    const { history } = complete([{ created_by: 'a', created: OLD }, { created_by: 'b' }], [layer(1)])
    assert.deepEqual(
      history?.map(({ empty_layer: isEmpty }) => isEmpty),
      [undefined, true],
    )
  })

  it('leaves out a time that nobody knows', () => {
    assert.equal(complete([{ created_by: 'ENV', empty_layer: true }], []).created, undefined)
  })

  it('makes younger times the epoch, and keeps older ones', () => {
    const epoch = Date.UTC(2020, 0, 1)
    const { history, created } = complete([{ created_by: 'base', created: OLD }, { created_by: 'RUN' }], [layer(1), layer(2, NEW)], epoch)
    assert.deepEqual(
      history?.map((entry) => entry.created),
      [OLD, '2020-01-01T00:00:00Z'],
    )
    assert.equal(created, '2020-01-01T00:00:00Z')
  })
})
