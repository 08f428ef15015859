import { setTimeout as sleep } from 'node:timers/promises'
import { pss, repeat } from '../measure.ts'
import { create, remove, sleeper, type Scenario } from './scenario.ts'

export const memory: Scenario[] = [
  {
    name: 'engine memory, idle (PSS)',
    unit: 'MiB',
    better: 'lower',
    async run(peer) {
      // A daemon as it is after a start, not after a benchmark.
      await peer.stopDaemon()
      await peer.startDaemon()
      await sleep(2000)
      return [pss(peer.processes()) / 1024]
    },
  },
  {
    name: 'engine memory per idle container (PSS)',
    unit: 'KiB',
    better: 'lower',
    async run(peer) {
      // What the daemon's own heap does between two readings is noise here: it is counted by the row above.
      const daemons = new Set(peer.processes())
      const ids: string[] = []
      for (let i = 0; i < 50; i++) ids.push(await sleeper(peer, { network: 'bridge' }))
      await sleep(1000)
      const monitors = peer.processes().filter((pid) => !daemons.has(pid))
      const each = pss(monitors) / ids.length
      await Promise.all(ids.map((id) => remove(peer, id)))
      return [each]
    },
  },
]

function list(count: number, running: boolean): Scenario {
  return {
    name: `GET /containers/json, ${count} ${running ? 'running' : 'stopped'}`,
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const ids: string[] = []
      for (let i = 0; i < count; i++) ids.push(await (running ? sleeper(peer) : create(peer)))
      const times = await repeat(30, 5, () => peer.api.call('GET', '/containers/json?all=1'))
      for (let i = 0; i < ids.length; i += 20) await Promise.all(ids.slice(i, i + 20).map((id) => remove(peer, id)))
      return times
    },
  }
}

export const lists: Scenario[] = [
  list(100, true),
  list(1000, false),
  {
    name: 'daemon start to first answer, 100 stopped containers',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const ids: string[] = []
      for (let i = 0; i < 100; i++) ids.push(await create(peer))
      const times: number[] = []
      for (let i = 0; i < 5; i++) {
        await peer.stopDaemon()
        times.push(await peer.startDaemon())
      }
      await Promise.all(ids.map((id) => remove(peer, id)))
      return times
    },
  },
]
