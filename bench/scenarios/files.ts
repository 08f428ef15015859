import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from '../peers/peer.ts'
import { timed } from '../measure.ts'
import { tar } from '../../test/harness/tar.ts'
import { create, remove, sleeper, start, wait, type Scenario } from './scenario.ts'

const MEBIBYTE = 1 << 20
const MEBIBYTES = 100
/** In SI, as rates are told. */
const MEGABYTES = (MEBIBYTES * MEBIBYTE) / 1e6
const ROUNDS = 5

/** An archive with one file of 100 MiB that no compression helps. */
function archive(peer: Peer): string {
  const path = join(peer.directory, 'shared/archive.tar')
  const block = Buffer.alloc(MEBIBYTE)
  for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at)
  // The header of a file without content, then the content: the harness makes archives in memory.
  const header = tar([{ name: 'big', data: Buffer.alloc(0) }]).subarray(0, 512)
  const size = Buffer.from((MEBIBYTES * MEBIBYTE).toString(8).padStart(11, '0'))
  size.copy(header, 124)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const file = openSync(path, 'w')
  writeSync(file, header)
  for (let i = 0; i < MEBIBYTES; i++) writeSync(file, block)
  writeSync(file, Buffer.alloc(1024))
  closeSync(file)
  return path
}

/** A container that has written; it has ended. */
async function written(peer: Peer, script: string): Promise<string> {
  const id = await create(peer, { command: ['sh', '-c', script] })
  await start(peer, id)
  await wait(peer, id)
  return id
}

async function sample(work: () => Promise<unknown>): Promise<number[]> {
  const samples: number[] = []
  for (let i = 0; i < ROUNDS; i++) samples.push(await timed(async () => void (await work())))
  return samples
}

export const files: Scenario[] = [
  {
    name: 'cp of a 100 MiB file into a running container',
    unit: 'MB/s',
    better: 'higher',
    async run(peer) {
      const path = archive(peer)
      const id = await sleeper(peer)
      const samples = await sample(() => peer.api.upload(`/containers/${id}/archive?path=/tmp`, path, 'PUT'))
      await remove(peer, id)
      return samples.map((time) => (MEGABYTES / time) * 1000)
    },
  },
  {
    name: 'cp of a 100 MiB file out of a running container',
    unit: 'MB/s',
    better: 'higher',
    async run(peer) {
      const id = await sleeper(peer)
      await peer.api.upload(`/containers/${id}/archive?path=/tmp`, archive(peer), 'PUT')
      const samples = await sample(() => peer.api.drain('GET', `/containers/${id}/archive?path=/tmp/big`))
      await remove(peer, id)
      return samples.map((time) => (MEGABYTES / time) * 1000)
    },
  },
  {
    name: 'diff of 2,000 added files',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const id = await written(peer, 'mkdir /made; cd /made; for i in $(seq 2000); do : > file$i; done')
      const samples = await sample(() => peer.api.call('GET', `/containers/${id}/changes`))
      await remove(peer, id)
      return samples
    },
  },
  {
    name: 'commit with 100 MiB changed',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const samples: number[] = []
      for (let i = 0; i < 3; i++) {
        const id = await written(peer, `head -c ${MEBIBYTES * MEBIBYTE} /dev/urandom > /big`)
        samples.push(await timed(async () => void (await peer.api.call('POST', `/commit?container=${id}&repo=bench&tag=commit`))))
        await remove(peer, id)
        await peer.api.call('DELETE', '/images/bench:commit')
      }
      return samples
    },
  },
]
