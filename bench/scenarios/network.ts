import { setTimeout as sleep } from 'node:timers/promises'
import { timed } from '../measure.ts'
import type { Peer } from '../peers/peer.ts'
import { remove, sleeper, type Scenario } from './scenario.ts'

const PORT = 9000
const SECONDS = 3
const SAMPLES = 3
/** The host's own iperf3, entered by chroot: the starter image has nothing that sends fast enough. */
const HOST_FILES = ['/:/host']
const SERVER = ['chroot', '/host', 'env', 'TMPDIR=/dev/shm', 'iperf3', '-s', '-p', String(PORT)]

function client(address: string): string[] {
  return ['env', 'TMPDIR=/dev/shm', 'iperf3', '-c', address, '-p', String(PORT), '-t', String(SECONDS), '-J']
}

/** MB/s that arrived. */
function rate(report: string): number {
  return JSON.parse(report).end.sum_received.bits_per_second / 8e6
}

/** Bulk data through what an engine puts between two programs: bridge, firewall, translation, proxy. */
export const throughput: Scenario[] = [
  {
    name: "TCP from container to container on a network of one's own",
    unit: 'MB/s',
    better: 'higher',
    async run(peer: Peer) {
      await peer.api.call('POST', '/networks/create', { Name: 'bench', CheckDuplicate: true })
      const server = await sleeper(peer, { network: 'bench', binds: HOST_FILES, command: SERVER })
      const source = await sleeper(peer, { network: 'bench', binds: HOST_FILES })
      const { NetworkSettings } = await peer.api.call('GET', `/v1.41/containers/${server}/json`)
      const address: string = NetworkSettings.Networks.bench.IPAddress
      await sleep(500)
      const rates: number[] = []
      for (let i = 0; i < SAMPLES; i++) {
        const exec = ['docker', '-H', `unix://${peer.socket}`, 'exec', source, 'chroot', '/host', ...client(address)]
        rates.push(rate(peer.host.must(exec)))
      }
      for (const id of [source, server]) await remove(peer, id)
      await peer.api.call('DELETE', '/networks/bench')
      return rates
    },
  },
  {
    name: 'TCP from the host into a port published on 127.0.0.1',
    unit: 'MB/s',
    better: 'higher',
    async run(peer: Peer) {
      const ports = { [`${PORT}/tcp`]: [{ HostPort: String(PORT) }] }
      const server = await sleeper(peer, { network: 'bridge', ports, binds: HOST_FILES, command: SERVER })
      await sleep(500)
      const rates = Array.from({ length: SAMPLES }, () => rate(peer.host.must(client('127.0.0.1'))))
      await remove(peer, server)
      return rates
    },
  },
  // docker.io, which starts two proxies for each port, once took 135 s.
  {
    alone: true,
    name: 'a range of 1,000 ports published: create, start',
    unit: 'ms',
    better: 'lower',
    async run(peer: Peer) {
      const ports = Object.fromEntries(
        Array.from({ length: 1000 }, (_, index) => [`${20_000 + index}/tcp`, [{ HostPort: String(20_000 + index) }]]),
      )
      const times: number[] = []
      for (let i = 0; i < SAMPLES; i++) {
        let id = ''
        times.push(await timed(async () => (id = await sleeper(peer, { network: 'bridge', ports }))))
        await remove(peer, id)
      }
      return times
    },
  },
]
