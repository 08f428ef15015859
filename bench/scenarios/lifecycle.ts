import { machineCpu, parallel, repeat, timed } from '../measure.ts'
import { create, remove, sleeper, start, wait, type Scenario } from './scenario.ts'

function wholeLife(network: string): Scenario {
  return {
    name: `create+start+wait+remove, ${network}`,
    unit: 'ms',
    better: 'lower',
    run: (peer) =>
      repeat(30, 5, async () => {
        const id = await create(peer, { network })
        await start(peer, id)
        await wait(peer, id)
        await remove(peer, id)
      }),
  }
}

export const lifecycle: Scenario[] = [
  wholeLife('bridge'),
  wholeLife('none'),
  {
    name: 'machine CPU per create+start, bridge',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const ids: string[] = []
      const before = machineCpu()
      for (let i = 0; i < 40; i++) {
        const id = await create(peer, { network: 'bridge', command: ['sleep', '100000'] })
        await start(peer, id)
        ids.push(id)
      }
      const spent = machineCpu() - before
      for (const id of ids) await remove(peer, id)
      return [spent / ids.length]
    },
  },
  {
    name: '100 containers, 8 clients, create+start',
    unit: '/s',
    better: 'higher',
    async run(peer) {
      const ids: string[] = []
      const rate = await parallel(100, 8, async () => {
        const id = await create(peer, { network: 'bridge', command: ['sleep', '100000'] })
        ids.push(id)
        await start(peer, id)
      })
      await Promise.all(ids.map((id) => remove(peer, id)))
      return [rate]
    },
  },
  {
    name: 'kill to wait answered',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const times: number[] = []
      for (let i = 0; i < 15; i++) {
        const id = await sleeper(peer)
        const over = wait(peer, id)
        times.push(
          await timed(async () => {
            await peer.api.call('POST', `/containers/${id}/kill`)
            await over
          }),
        )
        await remove(peer, id)
      }
      return times
    },
  },
  {
    name: 'rm -f of a running container',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const times: number[] = []
      for (let i = 0; i < 15; i++) {
        const id = await sleeper(peer, { network: 'bridge' })
        times.push(await timed(() => remove(peer, id)))
      }
      return times
    },
  },
]
