import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../../test/harness/index.ts'
import { timed } from '../measure.ts'
import type { Peer } from '../peers/peer.ts'
import type { Scenario } from './scenario.ts'

const SAMPLES = 3

/** The image of 520 MB in six gzip layers; made on first use, which takes a minute or two. */
function bigImage(): string {
  const made = spawnSync(join(ROOT, 'tools/big-image.sh'), { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`Cannot make the big image: ${made.stderr}`)
  return made.stdout.trim().split('\n').at(-1) ?? ''
}

/** Debian's docker-registry on the peer's test host, with an empty directory of its own; ends when disposed. */
async function startRegistry(peer: Peer, port: number): Promise<AsyncDisposable & { address: string }> {
  const directory = mkdtempSync(join(peer.directory, 'registry-'))
  const config = join(directory, 'config.yml')
  mkdirSync(join(directory, 'data'))
  const address = `127.0.0.1:${port}`
  writeFileSync(
    config,
    `version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/data\nhttp:\n  addr: ${address}\n`,
  )
  const [program = '', ...args] = peer.host.wrap(['docker-registry', 'serve', config])
  const server = spawn(program, args, { stdio: 'ignore' })
  for (let i = 0; peer.host.run(['curl', '-fs', `http://${address}/v2/`]).status !== 0; i++) {
    if (i === 500) throw new Error('Cannot start docker-registry')
    await sleep(10)
  }
  return {
    address,
    async [Symbol.asyncDispose]() {
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A stream of progress lines; an error inside it is one. */
async function succeed(lines: Promise<string>): Promise<void> {
  const text = await lines
  if (/"error"/.test(text)) throw new Error(text.slice(-500))
}

async function pull(peer: Peer, name: string): Promise<void> {
  await succeed(peer.api.text('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=latest`))
}

/** Deletes an image and waits until its files are gone: the next sample starts with an idle disk. */
async function forget(peer: Peer, name: string): Promise<void> {
  await peer.api.call('DELETE', `/images/${name}?force=1`)
  spawnSync('sync')
  await sleep(1500)
}

export const images: Scenario[] = [
  {
    name: 'pull 520 MB (6 gzip layers) from a local registry',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      await using registry = await startRegistry(peer, 5000)
      const name = `${registry.address}/big`
      peer.host.must(['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${bigImage()}/oci`, `docker://${name}:latest`])
      const times: number[] = []
      for (let i = 0; i < SAMPLES; i++) {
        spawnSync('sync')
        times.push(await timed(() => pull(peer, name)))
        await forget(peer, name)
      }
      return times
    },
  },
  {
    name: 'load 520 MB from an archive',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const archive = join(bigImage(), 'archive.tar')
      const times: number[] = []
      for (let i = 0; i < SAMPLES; i++) {
        spawnSync('sync')
        times.push(await timed(() => succeed(peer.api.upload('/images/load?quiet=1', archive))))
        await forget(peer, 'big')
      }
      return times
    },
  },
  {
    name: 'save 520 MB as an archive',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      await succeed(peer.api.upload('/images/load?quiet=1', join(bigImage(), 'archive.tar')))
      const times: number[] = []
      for (let i = 0; i < SAMPLES; i++) times.push(await timed(() => peer.api.drain('GET', '/images/big/get')))
      await forget(peer, 'big')
      return times
    },
  },
  {
    name: 'push 520 MB, as pulled, to an empty registry',
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      const times: number[] = []
      {
        await using source = await startRegistry(peer, 5000)
        const name = `${source.address}/big`
        peer.host.must(['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${bigImage()}/oci`, `docker://${name}:latest`])
        await pull(peer, name)
        await peer.api.call('POST', `/images/${name}/tag?repo=127.0.0.1:5001/big&tag=latest`)
        await peer.api.call('DELETE', `/images/${name}`)
      }
      for (let i = 0; i < SAMPLES; i++) {
        await using target = await startRegistry(peer, 5001)
        spawnSync('sync')
        times.push(await timed(() => succeed(peer.api.text('POST', `/images/${target.address}/big/push?tag=latest`))))
      }
      await forget(peer, '127.0.0.1:5001/big')
      return times
    },
  },
]
