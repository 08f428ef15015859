import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Volume, VolumeService } from '#volumes'
import { withVolumeEvents } from './volume-events.ts'

describe('withVolumeEvents', () => {
  it('tells what was made and removed, once', async () => {
    const names = new Set<string>()
    const volumeOf = (name: string): Volume => ({ name }) as Volume
    const inner: Partial<VolumeService> = {
      async create({ name }) {
        const created = !names.has(name)
        names.add(name)
        return { volume: volumeOf(name), created }
      },
      async remove(name) {
        return names.delete(name) ? volumeOf(name) : undefined
      },
      async prune() {
        const deleted = [...names]
        names.clear()
        return { deleted, reclaimed: 7 }
      },
    }
    const told: string[] = []
    const volumes = withVolumeEvents(inner as VolumeService, { publish: (_type, action, id) => told.push(`${action} ${id}`) })
    const request = { driver: '', options: {}, labels: {} }
    for (const name of ['a', 'a', 'b']) await volumes.create({ ...request, name })
    for (const name of ['a', 'a']) await volumes.remove(name, { force: true })
    await volumes.prune({ label: [], labelNot: [], all: true })
    assert.deepEqual(told, ['create a', 'create b', 'destroy a', 'destroy b', 'prune '])
  })
})
