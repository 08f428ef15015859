import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ROOT } from '../../test/harness/index.ts'
import { pss } from '../measure.ts'
import type { Peer } from '../peers/peer.ts'
import type { Scenario } from './scenario.ts'

const run = promisify(execFile)

const SAMPLES = 5
/** Builds after which memory is looked at. */
const BURST = 20

/** The two builders that the docker CLI knows; buildx is fetched where it can be. */
type Door = 'classic' | 'buildx'
const DOORS: readonly Door[] = ['classic', 'buildx']

const plugin = spawnSync(join(ROOT, 'tools/buildx.sh'), { encoding: 'utf8' })

/** Milliseconds of one `docker build`. */
async function build(peer: Peer, door: Door, context: string, ...args: string[]): Promise<number> {
  const config = join(peer.directory, 'docker-config')
  const link = join(config, 'cli-plugins/docker-buildx')
  if (door === 'buildx') {
    if (plugin.status !== 0) throw new Error(plugin.stderr.trim())
    mkdirSync(join(config, 'cli-plugins'), { recursive: true })
    if (!existsSync(link)) symlinkSync(plugin.stdout.trim(), link)
  }
  const env = {
    ...process.env,
    DOCKER_HOST: `unix://${peer.socket}`,
    DOCKER_CONFIG: config,
    DOCKER_BUILDKIT: door === 'buildx' ? '1' : '0',
    // Nothing is asked of a git repository that the context may lie in.
    BUILDX_GIT_INFO: 'false',
  }
  const start = performance.now()
  await run('docker', ['build', '-q', '-t', 'bench', ...args, context], { env, maxBuffer: 1 << 26 })
  return performance.now() - start
}

/** A directory of this name with these files; made once for each peer. */
function context(peer: Peer, name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(peer.directory, 'contexts', name)
  mkdirSync(directory, { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text)
  return directory
}

function steps(peer: Peer): string {
  const lines = Array.from({ length: 10 }, (_, index) => `RUN echo ${index} > /${index}`)
  return context(peer, 'steps', { Dockerfile: `FROM starter\n${lines.join('\n')}\n` })
}

/** Four stages that wait, and one that gathers: what runs at the same time is what counts. */
function stages(peer: Peer): string {
  const names = ['a', 'b', 'c', 'd']
  const waiting = names.map((name) => `FROM starter AS ${name}\nRUN sleep 0.5 && echo ${name} > /${name}\n`)
  const gathering = names.map((name) => `COPY --from=${name} /${name} /\n`)
  return context(peer, 'stages', { Dockerfile: `${waiting.join('')}FROM starter\n${gathering.join('')}` })
}

const FILES = 5000
const PER_DIRECTORY = 100

function files(peer: Peer): string {
  const directory = context(peer, 'files', { Dockerfile: 'FROM starter\nCOPY files /files\n' })
  if (existsSync(join(directory, 'files'))) return directory
  for (let index = 0; index < FILES; index++) {
    const place = join(directory, 'files', String(Math.floor(index / PER_DIRECTORY)))
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `${index}.txt`), `${index}\n`.repeat(100))
  }
  return directory
}

function scenario(
  door: Door,
  name: string,
  sample: (peer: Peer, index: number) => Promise<number>,
  prepare?: (peer: Peer) => Promise<unknown>,
): Scenario {
  return {
    name: `build, ${door}: ${name}`,
    unit: 'ms',
    better: 'lower',
    async run(peer) {
      await prepare?.(peer)
      const times: number[] = []
      for (let index = 0; index < SAMPLES; index++) times.push(await sample(peer, index))
      return times
    },
  }
}

/** What a burst of work leaves behind, once there is none. */
const afterBuilds: Scenario = {
  name: `engine memory, idle after ${BURST} builds (PSS)`,
  unit: 'MiB',
  better: 'lower',
  async run(peer) {
    await peer.stopDaemon()
    await peer.startDaemon()
    for (let index = 0; index < BURST; index++) await build(peer, 'buildx', steps(peer), ...(index % 5 === 0 ? ['--no-cache'] : []))
    // The daemon looks every ten seconds whether it is idle, and then gives memory back.
    await sleep(30_000)
    return [pss(peer.processes()) / 1024]
  },
}

const byDoor: Scenario[] = DOORS.flatMap((door) => [
  scenario(door, '10 RUN steps, no cache', (peer) => build(peer, door, steps(peer), '--no-cache')),
  scenario(
    door,
    '10 RUN steps, all cached',
    (peer) => build(peer, door, steps(peer)),
    (peer) => build(peer, door, steps(peer)),
  ),
  scenario(
    door,
    'COPY of 5,000 files, one changed',
    (peer, index) => {
      const directory = files(peer)
      writeFileSync(join(directory, 'files/7/700.txt'), `${door} ${index} ${process.pid}\n`)
      return build(peer, door, directory)
    },
    (peer) => build(peer, door, files(peer)),
  ),
  scenario(door, '4 stages that wait half a second', (peer) => build(peer, door, stages(peer), '--no-cache')),
])

export const builds: Scenario[] = [...byDoor, afterBuilds]
