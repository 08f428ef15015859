import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { docker } from '../../../bench/peers/docker.ts'
import { Peer } from '../../../bench/peers/peer.ts'
import { ROOT, starterImage, TestHost } from '../../harness/index.ts'
import type { Builder } from '../../integration/build-examples/built-example.ts'
import { run } from '../../integration/build-examples/example.ts'
import { saveImage } from '../../integration/build-examples/save-image.ts'

/** A tmpfs. Nobody wants what they build to be there tomorrow: on a disk they wait for it a third of their time. */
const MEMORY = '/dev/shm'

/** Another engine's builder, ready to build `FROM busybox`. */
export interface PeerBuilder extends Builder, AsyncDisposable {}

/** Debian's dockerd with its classic builder. */
export async function classicBuilder(): Promise<PeerBuilder> {
  return dockerBuilder({ DOCKER_BUILDKIT: '0' }, () => undefined)
}

/** The BuildKit inside of Debian's dockerd, driven by buildx. */
export async function buildkitBuilder(): Promise<PeerBuilder> {
  return dockerBuilder({ DOCKER_BUILDKIT: '1' }, (config) => {
    const { status, stdout, stderr } = spawnSync(join(ROOT, 'tools/buildx.sh'), ['trixie'], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`buildx is missing: ${stderr}`)
    mkdirSync(join(config, 'cli-plugins'))
    symlinkSync(stdout.trim(), join(config, 'cli-plugins/docker-buildx'))
  })
}

async function dockerBuilder(env: Readonly<Record<string, string>>, prepare: (config: string) => void): Promise<PeerBuilder> {
  await using undo = new AsyncDisposableStack()
  const peer = undo.use(await Peer.start(docker, MEMORY))
  const config = join(peer.directory, 'config')
  mkdirSync(config)
  prepare(config)
  peer.host.must(['docker', '-H', `unix://${peer.socket}`, 'tag', 'starter', 'busybox'])
  const owned = undo.move()
  return {
    command: (tag) => ({
      program: 'docker',
      // Its cache takes a step of another example for one that is not quite the same: ENTRYPOINT after a CMD of the base, or of its own.
      args: ['-H', `unix://${peer.socket}`, 'build', '--no-cache', '-t', tag],
      env: { ...env, DOCKER_CONFIG: config },
    }),
    save: (tag) => saveImage(peer.socket, tag),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Debian's buildah on a test host, with a store of its own. */
export async function buildahBuilder(): Promise<PeerBuilder> {
  await using undo = new AsyncDisposableStack()
  const host = undo.use(await TestHost.create())
  const directory = mkdtempSync(join(MEMORY, 'gantry-buildah-'))
  // Otherwise cache mounts stay in /var/tmp.
  const env = { TMPDIR: directory }
  undo.defer(() => {
    host.run(['umount', '-R', join(directory, 'root/overlay')])
    rmSync(directory, { recursive: true, force: true })
  })
  const store = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'overlay']
  const buildah = (...args: string[]): string => host.must(['buildah', ...store, ...args], { env }).trim()
  const container = buildah('from', 'scratch')
  buildah('add', container, starterImage(), '/')
  buildah('config', '--cmd', '["sh"]', container)
  buildah('commit', '--format', 'docker', container, 'docker.io/library/busybox:latest')
  buildah('rm', container)
  const wrap = (...args: string[]): { program: string; args: string[]; env: typeof env } => {
    const [program = '', ...rest] = host.wrap(['buildah', ...store, ...args])
    return { program, args: rest, env }
  }
  const owned = undo.move()
  let saved = 0
  return {
    command: (tag) => wrap('build', '--format', 'docker', '--isolation', 'chroot', '--network', 'host', '--pull=never', '-t', tag),
    async save(tag) {
      const file = join(directory, `save-${saved++}.tar`)
      const { program, args } = wrap('push', '--disable-compression', tag, `docker-archive:${file}`)
      const { status, output } = await run(program, args, { env })
      if (status !== 0) throw new Error(`saving ${tag}: ${output}`)
      const bytes = readFileSync(file)
      rmSync(file)
      return bytes
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
