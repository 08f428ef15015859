import { setTimeout as sleep } from 'node:timers/promises'
import type { Peer } from '../peers/peer.ts'
import { remove, sleeper, type Scenario } from './scenario.ts'

/** Requests per second that wrk reaches at `url` on the peer's host. */
function load(peer: Peer, url: string): number {
  const text = peer.host.must(['wrk', '-t', '1', '-c', '10', '-d', '3s', url])
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? NaN)
}

async function server(peer: Peer): Promise<{ id: string; address: string }> {
  const id = await sleeper(peer, {
    network: 'bridge',
    ports: { '80/tcp': [{ HostPort: '18080' }] },
    command: ['sh', '-c', 'echo hello > /var/www/index.html; exec httpd -f -h /var/www'],
  })
  const { NetworkSettings } = await peer.api.call('GET', `/v1.41/containers/${id}/json`)
  await sleep(300)
  return { id, address: NetworkSettings.Networks.bridge.IPAddress }
}

export const ports: Scenario[] = [
  {
    name: 'published port on 127.0.0.1',
    unit: '/s',
    better: 'higher',
    async run(peer) {
      const { id } = await server(peer)
      const rates = [load(peer, 'http://127.0.0.1:18080/'), load(peer, 'http://127.0.0.1:18080/')]
      await remove(peer, id)
      return rates
    },
  },
  {
    name: 'the same server by its own address',
    unit: '/s',
    better: 'higher',
    async run(peer) {
      const { id, address } = await server(peer)
      const rates = [load(peer, `http://${address}/`), load(peer, `http://${address}/`)]
      await remove(peer, id)
      return rates
    },
  },
]
