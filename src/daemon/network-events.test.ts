import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { NetworkCreateRequest, NetworkRecord, NetworkService } from '#networks'
import { withNetworkEvents } from './network-events.ts'

it('withNetworkEvents tells of networks that come and go, of templates only that they come', async () => {
  const back = { id: 'b1', name: 'back', driver: 'bridge' } as NetworkRecord
  const template = { ...back, id: 't1', name: 'template', configOnly: true }
  const published: unknown[][] = []
  const used: Partial<NetworkService> = {
    create: async ({ name }) => (name === 'back' ? back : template),
    remove: async (ref) => (ref === 'back' ? back : template),
    prune: async () => [back],
  }
  const networks = withNetworkEvents(used as NetworkService, { publish: (...event) => void published.push(event) })
  await networks.create({ name: 'back' } as NetworkCreateRequest)
  await networks.create({ name: 'template' } as NetworkCreateRequest)
  await networks.remove('template')
  await networks.remove('back')
  await networks.prune(() => true)
  const attributes = { name: 'back', type: 'bridge' }
  assert.deepEqual(published, [
    ['network', 'create', 'b1', attributes],
    ['network', 'create', 't1', { name: 'template', type: 'bridge' }],
    ['network', 'destroy', 'b1', attributes],
    ['network', 'destroy', 'b1', attributes],
    ['network', 'prune', '', { reclaimed: '0' }],
  ])
})
