/**
 * Measures engines side by side through the Docker API and writes `results/latest.{json,md}`.
 * Usage: `node bench/main.ts [--only WORD] [--peer gantry|docker.io]…` (`make bench`). Needs root; peers that are not installed are left out
 * and said so. Each scenario runs on all peers in turn before the next one, so that noise of the machine meets all alike.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from './measure.ts'
import { docker } from './peers/docker.ts'
import { gantry } from './peers/gantry.ts'
import { Peer } from './peers/peer.ts'
import { builds } from './scenarios/build.ts'
import { cli } from './scenarios/cli.ts'
import { execs } from './scenarios/exec.ts'
import { files } from './scenarios/files.ts'
import { health } from './scenarios/health.ts'
import { images } from './scenarios/images.ts'
import { lifecycle } from './scenarios/lifecycle.ts'
import { lists, memory } from './scenarios/memory.ts'
import { throughput } from './scenarios/network.ts'
import { ports } from './scenarios/port.ts'
import { streams } from './scenarios/streams.ts'
import type { Scenario } from './scenarios/scenario.ts'

interface Row {
  name: string
  unit: string
  better: Scenario['better']
  medians: Record<string, number>
  samples: Record<string, number[]>
}

const { values: options } = parseArgs({ options: { only: { type: 'string' }, peer: { type: 'string', multiple: true } } })
const scenarios = [
  ...lifecycle,
  ...execs,
  ...health,
  ...cli,
  ...memory,
  ...lists,
  ...streams,
  ...images,
  ...files,
  ...builds,
  ...ports,
  ...throughput,
].filter(({ name }) => name.includes(options.only ?? ''))
const installed = spawnSync('dockerd', ['--version'], { encoding: 'utf8' })
const recipes = [gantry, ...(installed.status === 0 ? [docker] : [])].filter(({ name }) => options.peer?.includes(name) ?? true)
if (installed.status !== 0) console.log('docker.io is not installed: measured without a peer')

const rows: Row[] = []
{
  await using stack = new AsyncDisposableStack()
  const peers: Peer[] = []
  for (const recipe of recipes) peers.push(stack.use(await Peer.start(recipe)))
  for (const scenario of scenarios) {
    const { name, unit, better } = scenario
    const row: Row = { name, unit, better, medians: {}, samples: {} }
    for (const peer of scenario.alone ? peers.filter(({ name }) => name === gantry.name) : peers) {
      try {
        const samples = await scenario.run(peer)
        row.samples[peer.name] = samples.map((value) => Math.round(value * 1000) / 1000)
        row.medians[peer.name] = median(samples)
      } catch (error) {
        console.error(`${name}, ${peer.name}: ${String(error)}`)
        await peer.removeAll()
      }
    }
    rows.push(row)
    console.log(line(row))
  }
}

function ratio({ better, medians }: Row): number | undefined {
  const [ours, theirs] = [medians[gantry.name], medians[docker.name]]
  if (ours === undefined || theirs === undefined) return undefined
  return better === 'lower' ? theirs / ours : ours / theirs
}

function figure(value: number | undefined): string {
  if (value === undefined) return '–'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function line(row: Row): string {
  const factor = ratio(row)
  return `| ${row.name} | ${figure(row.medians[gantry.name])} | ${figure(row.medians[docker.name])} | ${row.unit} | ${factor === undefined ? '–' : `${figure(factor)}×`} |`
}

const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`
const version = installed.status === 0 ? installed.stdout.trim() : 'not installed'
const text = `# Gantry and docker.io side by side

${new Date().toISOString().slice(0, 10)}, ${machine}; peer: ${version}. Medians; the ratio is how many times better Gantry is. Made by \`make bench\`.

| what | gantry | docker.io | unit | ratio |
|---|---|---|---|---|
${rows.map(line).join('\n')}
`
console.log(text)
if (options.only === undefined && options.peer === undefined) {
  const folder = join(import.meta.dirname, 'results')
  writeFileSync(join(folder, 'latest.md'), text)
  writeFileSync(
    join(folder, 'latest.json'),
    `${JSON.stringify({ date: new Date().toISOString(), machine, peer: version, load: readFileSync('/proc/loadavg', 'utf8').trim(), rows }, null, 1)}\n`,
  )
}
