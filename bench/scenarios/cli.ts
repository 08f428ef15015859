import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ROOT } from '../../test/harness/index.ts'
import type { Peer } from '../peers/peer.ts'
import { repeat } from '../measure.ts'
import type { Scenario } from './scenario.ts'

async function run(program: string, peer: Peer, args: string[]): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DOCKER_HOST: `unix://${peer.socket}` },
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}`)
}

function clientRun(label: string, program: string, network: string): Scenario {
  return {
    name: `${label} run --rm true, ${network}`,
    unit: 'ms',
    better: 'lower',
    run: (peer) => repeat(15, 3, () => run(program, peer, ['run', '--rm', '--network', network, 'starter', 'true'])),
  }
}

const ours = join(ROOT, 'bin/gantry')

export const cli: Scenario[] = [
  clientRun('docker CLI', 'docker', 'bridge'),
  clientRun('docker CLI', 'docker', 'none'),
  clientRun('gantry CLI', ours, 'bridge'),
]
