/** The cgroup functions on the hierarchies of this machine, below a directory of the test's own. Needs root. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  cgroupSupport,
  createCgroupDevices,
  detectCgroupLayout,
  freezeCgroup,
  killCgroup,
  listCgroupPids,
  locateCgroup,
  planCgroup,
  prepareCgroupParent,
  readCgroupStats,
  removeCgroup,
  thawCgroup,
  updateCgroup,
  type CgroupLayout,
  type CgroupLocation,
  type CgroupPlan,
} from '#kernel'
import { eventually } from '../../harness/eventually.ts'

const parent = `/gantry-test-${process.pid}`
const MIB = 1 << 20
const layout = detectCgroupLayout()
/** Beside v1 controllers cgroup2 has no limits, but it freezes, kills and restricts devices. */
const unified: CgroupLayout | undefined =
  layout.version === 2 ? layout : layout.unified === undefined ? undefined : { version: 2, root: layout.unified }

const isRoot = process.getuid?.() === 0
const skipV1 = !isRoot ? 'needs root' : layout.version !== 1 ? 'needs cgroup v1' : false
const skipV2 = !isRoot ? 'needs root' : unified === undefined ? 'needs cgroup2' : false

function make(plan: CgroupPlan): void {
  for (const directory of plan.directories) mkdirSync(directory, { recursive: true })
  for (const { path, value, optional } of plan.writes) {
    try {
      writeFileSync(path, value)
    } catch (error) {
      if (optional !== true) throw error
    }
  }
}

/** Runs a shell command as a member of the cgroup. */
function spawnIn(plan: CgroupPlan, command: string): ChildProcess {
  const files = plan.version === 1 ? plan.join : [`${plan.into}/cgroup.procs`]
  const script = [...files.map((file) => `echo 0 > ${file}`), command].join('; ')
  return spawn('sh', ['-ec', script], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function output(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk) => (text += chunk))
  child.stderr?.on('data', (chunk) => (text += chunk))
  await once(child, 'close')
  return text
}

function clearParent(used: CgroupLayout): void {
  const location = locateCgroup(used, { parent, id: '' })
  const directories = location.version === 1 ? Object.values(location.directories) : [location.directory]
  for (const directory of new Set(directories)) if (existsSync(directory)) rmdirSync(directory)
}

async function freezeAndKill(used: CgroupLayout): Promise<void> {
  const plan = planCgroup(used, { parent, id: 'freeze', resources: {} })
  const location = locateCgroup(used, { parent, id: 'freeze' })
  make(plan)
  const child = spawnIn(plan, 'sleep 1000 & exec sleep 1000')
  const closed = once(child, 'close')
  await eventually(() => assert.equal(listCgroupPids(location).length, 2, 'both processes are members'))
  assert.ok(listCgroupPids(location).includes(child.pid ?? 0))
  await freezeCgroup(location)
  const state = (): string => readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\) /, '')[0] ?? ''
  assert.ok(['D', 'S'].includes(state()), 'frozen processes are asleep')
  await killCgroup(location)
  thawCgroup(location)
  await closed
  await removeCgroup(location)
  assert.deepEqual(listCgroupPids(location), [])
  assert.equal(existsSync(plan.directories[0] ?? ''), false)
  await removeCgroup(location)
}

describe('cgroup v1', { skip: skipV1 }, () => {
  before(() => prepareCgroupParent(layout, parent))
  after(() => clearParent(layout))

  it('applies a plan, and the process sees its limits', async () => {
    const resources = {
      memory: { limit: 64 * MIB, swap: 96 * MIB },
      cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0' },
      pids: { limit: 20 },
      devices: [{ allow: false, access: 'rwm' }],
    }
    const plan = planCgroup(layout, { parent, id: 'limits', resources })
    make(plan)
    const text = await output(
      spawnIn(plan, 'grep Cpus_allowed_list /proc/self/status; head -c1 /dev/zero | wc -c; head -c1 /dev/kmsg || true'),
    )
    assert.match(text, /Cpus_allowed_list:\s+0\n1\n/)
    assert.match(text, /kmsg.*Operation not permitted/)
    const stats = readCgroupStats(locateCgroup(layout, { parent, id: 'limits' }))
    assert.equal(stats?.memory.limit, 64 * MIB)
    assert.equal(stats?.pids.limit, 20)
    assert.ok((stats?.cpu.totalUsage ?? 0) > 0)
    await removeCgroup(locateCgroup(layout, { parent, id: 'limits' }))
  })

  it('updates memory up and down although memory and memory+swap bound each other', async () => {
    const location = locateCgroup(layout, { parent, id: 'update' })
    make(planCgroup(layout, { parent, id: 'update', resources: { memory: { limit: 64 * MIB, swap: 64 * MIB } } }))
    const limits = (): number[] =>
      ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'].map((file) => Number(readFileSync(join(memoryOf(location), file), 'utf8')))
    updateCgroup(location, { memory: { limit: 256 * MIB, swap: 512 * MIB }, cpu: { quota: 20_000, period: 50_000 } })
    assert.deepEqual(limits(), [256 * MIB, 512 * MIB])
    updateCgroup(location, { memory: { limit: 32 * MIB, swap: 32 * MIB } })
    assert.deepEqual(limits(), [32 * MIB, 32 * MIB])
    assert.throws(() => updateCgroup(location, { cpu: { period: 1 } }), {
      code: 'INTERNAL',
      message: /failed to write "1" to cpu.cfs_period_us/,
    })
    await removeCgroup(location)
  })

  it('counts a kill by the OOM killer', async () => {
    const plan = planCgroup(layout, { parent, id: 'oom', resources: { memory: { limit: 8 * MIB, swap: 8 * MIB } } })
    make(plan)
    const child = spawnIn(plan, 'exec tail /dev/zero')
    const [code, signal] = await once(child, 'close')
    assert.deepEqual([code, signal], [null, 'SIGKILL'])
    assert.match(readFileSync(plan.oomFile ?? '', 'utf8'), /^oom_kill 1$/m)
    await removeCgroup(locateCgroup(layout, { parent, id: 'oom' }))
  })

  it('freezes, kills and removes', () => freezeAndKill(layout))

  it('removes cgroups that were made inside', async () => {
    const location = locateCgroup(layout, { parent, id: 'nested' })
    make(planCgroup(layout, { parent, id: 'nested', resources: {} }))
    mkdirSync(join(memoryOf(location), 'a/b'), { recursive: true })
    await removeCgroup(location)
    assert.equal(existsSync(memoryOf(location)), false)
  })

  it('knows what it can limit', () => {
    const support = cgroupSupport(layout, parent)
    assert.equal(support.memory, true)
    assert.equal(support.cpuCfs, true)
    assert.match(support.cpus, /^0/)
  })
})

describe('cgroup v2', { skip: skipV2 }, () => {
  const used = unified ?? { version: 2 as const, root: '' }
  before(() => prepareCgroupParent(used, parent))
  after(() => clearParent(used))

  it('freezes, kills and removes', () => freezeAndKill(used))

  it('restricts devices by program', async () => {
    const plan = planCgroup(used, { parent, id: 'devices', resources: { devices: [{ allow: false, access: 'rwm' }] } })
    createCgroupDevices().attach(plan)
    const text = await output(spawnIn(plan, 'head -c1 /dev/zero | wc -c; head -c1 /dev/kmsg || true'))
    assert.match(text, /^1\n/)
    assert.match(text, /kmsg.*Operation not permitted/)
    await removeCgroup(locateCgroup(used, { parent, id: 'devices' }))
  })
})

const skipControllers = !isRoot ? 'needs root' : layout.version !== 2 ? 'needs cgroup v2 with controllers' : false

describe('cgroup v2 with controllers', { skip: skipControllers }, () => {
  before(() => prepareCgroupParent(layout, `${parent}/deep`))
  after(() => {
    if (layout.version !== 2) return
    rmdirSync(join(layout.root, parent, 'deep'))
    clearParent(layout)
  })
  const where = (id: string): { parent: string; id: string } => ({ parent: `${parent}/deep`, id })

  it('applies a plan, and the process sees its limits', async () => {
    const resources = {
      memory: { limit: 64 * MIB, swap: 64 * MIB, reservation: 32 * MIB },
      cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: '0' },
      pids: { limit: 20 },
      blockIO: { weight: 500 },
    }
    const plan = planCgroup(layout, { ...where('limits'), resources })
    make(plan)
    assert.match(await output(spawnIn(plan, 'grep Cpus_allowed_list /proc/self/status')), /Cpus_allowed_list:\s+0\n/)
    const read = (file: string): string => readFileSync(join(plan.into ?? '', file), 'utf8').trim()
    assert.deepEqual(['memory.max', 'memory.low', 'cpu.weight', 'cpu.max', 'pids.max'].map(read), [
      String(64 * MIB),
      String(32 * MIB),
      '100',
      '50000 100000',
      '20',
    ])
    const location = locateCgroup(layout, where('limits'))
    const stats = readCgroupStats(location)
    assert.equal(stats?.memory.limit, 64 * MIB)
    assert.equal(stats?.pids.limit, 20)
    assert.ok((stats?.cpu.totalUsage ?? 0) > 0)
    updateCgroup(location, { memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } })
    assert.deepEqual(['memory.max', 'cpu.max', 'pids.max'].map(read), ['max', 'max 100000', 'max'])
    await removeCgroup(location)
  })

  it('counts a kill by the OOM killer', async () => {
    const plan = planCgroup(layout, { ...where('oom'), resources: { memory: { limit: 8 * MIB, swap: 8 * MIB } } })
    make(plan)
    const [code, signal] = await once(spawnIn(plan, 'exec tail /dev/zero'), 'close')
    assert.deepEqual([code, signal], [null, 'SIGKILL'])
    assert.match(readFileSync(plan.oomFile ?? '', 'utf8'), /^oom_kill 1$/m)
    await removeCgroup(locateCgroup(layout, where('oom')))
  })

  it('knows what it can limit', () => {
    const { memory, pids, cpuCfs, cpuset, cpus, oomKillDisable } = cgroupSupport(layout, `${parent}/deep`)
    assert.deepEqual(
      { memory, pids, cpuCfs, cpuset, oomKillDisable },
      { memory: true, pids: true, cpuCfs: true, cpuset: true, oomKillDisable: false },
    )
    assert.match(cpus, /^0/)
  })

  it('moves the processes of a delegated root out of the way of its children', () => {
    assert.ok(layout.version === 2)
    const root = join(layout.root, `${parent}-delegated`)
    mkdirSync(root)
    const child = spawn('sleep', ['1000'])
    try {
      writeFileSync(join(root, 'cgroup.procs'), String(child.pid))
      writeFileSync(join(layout.root, 'cgroup.subtree_control'), '+memory')
      prepareCgroupParent({ version: 2, root }, '/inner')
      assert.equal(readFileSync(join(root, 'cgroup.procs'), 'utf8'), '')
      assert.match(readFileSync(join(root, 'inner/cgroup.controllers'), 'utf8'), /memory/)
      assert.equal(readFileSync(join(root, 'gantry-init/cgroup.procs'), 'utf8').trim(), String(child.pid))
      writeFileSync(join(layout.root, 'cgroup.procs'), String(child.pid))
    } finally {
      child.kill('SIGKILL')
    }
    for (const name of ['inner', 'gantry-init', '']) rmdirSync(join(root, name))
  })
})

function memoryOf(location: CgroupLocation): string {
  assert.ok(location.version === 1 && location.directories.memory !== undefined)
  assert.equal(dirname(location.directories.memory).endsWith(parent), true)
  return location.directories.memory
}
