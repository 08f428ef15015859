import { setTimeout as sleep } from 'node:timers/promises'
import { machineCpu } from '../measure.ts'
import type { Peer } from '../peers/peer.ts'
import { remove, start, type Scenario } from './scenario.ts'

/** Few enough that all their events are among the 256 that engines remember. */
const CONTAINERS = 2
const SECONDS = 4
const SAMPLES = 3

/** CPU that the machine spends on one probe: containers whose only work is to be checked ten times a second, less what the idle machine spends. */
async function costOfProbe(peer: Peer): Promise<number> {
  const idleBefore = machineCpu()
  await sleep(SECONDS * 1000)
  const idle = machineCpu() - idleBefore
  const ids: string[] = []
  for (let i = 0; i < CONTAINERS; i++) {
    const { Id } = await peer.api.call('POST', '/containers/create', {
      Image: 'starter',
      Cmd: ['sleep', '1000'],
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1e8 },
      HostConfig: { NetworkMode: 'none' },
    })
    await start(peer, Id)
    ids.push(Id)
  }
  const since = Math.floor(Date.now() / 1000) + 1
  await sleep(since * 1000 - Date.now())
  const before = machineCpu()
  await sleep(SECONDS * 1000)
  const spent = machineCpu() - before - idle
  const filters = encodeURIComponent(JSON.stringify({ event: ['exec_die'] }))
  const text = await peer.api.text('GET', `/events?since=${since}&until=${since + SECONDS}&filters=${filters}`)
  for (const id of ids) await remove(peer, id)
  return spent / text.trim().split('\n').length
}

export const health: Scenario[] = [
  {
    name: 'machine CPU per health check',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const costs: number[] = []
      for (let i = 0; i < SAMPLES; i++) costs.push(await costOfProbe(peer))
      return costs
    },
  },
]
