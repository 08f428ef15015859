import type { Peer } from '../peers/peer.ts'
import { machineCpu, parallel, repeat } from '../measure.ts'
import { remove, sleeper, type Scenario } from './scenario.ts'

/** Exec of `true`, attached, to the end of its stream. */
async function exec(peer: Peer, id: string): Promise<void> {
  const { Id }: { Id: string } = await peer.api.call('POST', `/containers/${id}/exec`, {
    Cmd: ['true'],
    AttachStdout: true,
    AttachStderr: true,
  })
  const { bytes, socket } = await peer.api.hijack(`/exec/${Id}/start`, {})
  await bytes
  socket.destroy()
}

export const execs: Scenario[] = [
  {
    name: 'exec true',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const id = await sleeper(peer)
      const times = await repeat(30, 5, () => exec(peer, id))
      await remove(peer, id)
      return times
    },
  },
  {
    name: 'exec per second, 8 clients',
    unit: '/s',
    better: 'higher',
    async run(peer) {
      const id = await sleeper(peer)
      const rate = await parallel(200, 8, () => exec(peer, id))
      await remove(peer, id)
      return [rate]
    },
  },
  {
    name: 'machine CPU per exec',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const id = await sleeper(peer)
      const before = machineCpu()
      for (let i = 0; i < 100; i++) await exec(peer, id)
      const spent = machineCpu() - before
      await remove(peer, id)
      return [spent / 100]
    },
  },
]
