import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from '../peers/peer.ts'
import { timed } from '../measure.ts'
import { create, remove, start, wait, type Scenario } from './scenario.ts'

const MEGABYTES = 200

/** A file of 100-byte lines for containers to write out; made once per peer. */
function lines(peer: Peer): string {
  const path = join(peer.directory, 'shared/lines')
  const block = Buffer.from(`${'x'.repeat(99)}\n`.repeat(10_000))
  const file = openSync(path, 'w')
  for (let i = 0; i < MEGABYTES; i++) writeSync(file, block)
  closeSync(file)
  return join(peer.directory, 'shared')
}

export const streams: Scenario[] = [
  {
    name: 'container writes 200 MB to its log',
    unit: 'MB/s',
    better: 'higher',
    async run(peer) {
      const binds = [`${lines(peer)}:/in`]
      const rates: number[] = []
      for (let i = 0; i < 3; i++) {
        const id = await create(peer, { binds, command: ['cat', '/in/lines'] })
        rates.push((MEGABYTES / (await timed(async () => (await start(peer, id), await wait(peer, id))))) * 1000)
        await remove(peer, id)
      }
      return rates
    },
  },
  {
    name: 'reading 200 MB of logs through the API',
    unit: 'MB/s',
    better: 'higher',
    async run(peer) {
      const id = await create(peer, { binds: [`${lines(peer)}:/in`], command: ['cat', '/in/lines'] })
      await start(peer, id)
      await wait(peer, id)
      const rates: number[] = []
      for (let i = 0; i < 3; i++) {
        rates.push((MEGABYTES / (await timed(() => peer.api.drain('GET', `/containers/${id}/logs?stdout=1&stderr=1`)))) * 1000)
      }
      await remove(peer, id)
      return rates
    },
  },
  {
    name: 'attached run, 200 MB',
    unit: 'MB/s',
    better: 'higher',
    async run(peer) {
      const binds = [`${lines(peer)}:/in`]
      const rates: number[] = []
      for (let i = 0; i < 3; i++) {
        const id = await create(peer, { binds, command: ['cat', '/in/lines'], attach: true })
        const { bytes, socket } = await peer.api.hijack(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`)
        rates.push((MEGABYTES / (await timed(async () => (await start(peer, id), await bytes)))) * 1000)
        socket.destroy()
        await remove(peer, id)
      }
      return rates
    },
  },
]
