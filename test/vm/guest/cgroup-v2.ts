import assert from 'node:assert/strict'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../harness/eventually.ts'
import { engine } from './shared-engine.ts'

/** The container's own cgroup directory on the host, from /proc. */
function cgroupOf(pid: number): string {
  const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? ''
  return `/sys/fs/cgroup${path}`
}

async function pidOf(id: string): Promise<number> {
  return (await engine.call('GET', `/containers/${id}/json`)).State.Pid
}

test('info says cgroup version 2 and warns of no missing limit', async () => {
  const info = await engine.call('GET', '/info')
  assert.equal(info.CgroupVersion, '2')
  assert.deepEqual([info.MemoryLimit, info.PidsLimit, info.CpuCfsQuota, info.CPUSet], [true, true, true, true])
})

test('a container runs in a cgroup and cgroup namespace of its own', async () => {
  const { id, output, exitCode } = await engine.run(['cat', '/proc/self/cgroup'])
  assert.equal(exitCode, 0)
  assert.equal(output, '0::/\n')
  await engine.remove(id)
})

test('limits arrive as the values of the unified controllers', async () => {
  const id = await engine.create(['sleep', '1000'], {
    Memory: 64 << 20,
    MemorySwap: 96 << 20,
    MemoryReservation: 32 << 20,
    NanoCpus: 1_500_000_000,
    CpuShares: 512,
    CpusetCpus: '0',
    PidsLimit: 50,
  })
  await engine.begin(id)
  const directory = cgroupOf(await pidOf(id))
  const read = (file: string): string => readFileSync(`${directory}/${file}`, 'utf8').trim()
  assert.equal(read('memory.max'), String(64 << 20))
  assert.equal(read('memory.low'), String(32 << 20))
  assert.equal(read('memory.swap.max'), String(32 << 20))
  assert.equal(read('cpu.max'), '150000 100000')
  // 512 shares of 1024 by the formula that runc has had since 1.3.2; the older, linear one gave 20.
  assert.equal(read('cpu.weight'), '59')
  assert.equal(read('cpuset.cpus'), '0')
  assert.equal(read('pids.max'), '50')
  await engine.call('POST', `/containers/${id}/update`, { Memory: 80 << 20, MemorySwap: 128 << 20, PidsLimit: 60 })
  assert.equal(read('memory.max'), String(80 << 20))
  assert.equal(read('pids.max'), '60')
  await engine.remove(id)
  assert.equal(existsSync(directory), false, 'the cgroup is gone with the container')
})

test('a container over its memory limit is reported as OOMKilled', async () => {
  const { id, exitCode } = await engine.run(['sh', '-c', 'head -c 200m /dev/zero | tail'], { Memory: 32 << 20, MemorySwap: 32 << 20 })
  const { State } = await engine.call('GET', `/containers/${id}/json`)
  assert.equal(State.OOMKilled, true)
  assert.notEqual(exitCode, 0)
  await engine.remove(id)
})

test('the pids limit holds', async () => {
  const { id, output } = await engine.run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 5 & done; wait'], { PidsLimit: 5 })
  assert.match(output, /can't fork/)
  await engine.remove(id)
})

test('an exec is in the cgroup and the namespaces of its container', async () => {
  const id = await engine.create(['sleep', '1000'])
  await engine.begin(id)
  const { Id } = await engine.call('POST', `/containers/${id}/exec`, { Cmd: ['sleep', '1000'] })
  await engine.call('POST', `/exec/${Id}/start`, { Detach: true })
  const { Pid } = await engine.call('GET', `/exec/${Id}/json`)
  const container = await pidOf(id)
  assert.equal(readFileSync(`/proc/${Pid}/comm`, 'utf8'), 'sleep\n')
  assert.equal(cgroupOf(Pid), cgroupOf(container))
  for (const namespace of ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts']) {
    assert.equal(readlinkSync(`/proc/${Pid}/ns/${namespace}`), readlinkSync(`/proc/${container}/ns/${namespace}`))
  }
  await engine.remove(id)
  assert.equal(existsSync(`/proc/${Pid}`), false, 'it has ended with its container')
})

test('stats count memory, cpu and processes', async () => {
  const id = await engine.create(['sh', '-c', 'while :; do :; done'], { Memory: 64 << 20 })
  await engine.begin(id)
  await eventually(async () => {
    const stats = await engine.call('GET', `/containers/${id}/stats?stream=false&one-shot=true`)
    assert.equal(stats.memory_stats.limit, 64 << 20)
    assert.ok(stats.memory_stats.usage > 0)
    assert.ok(stats.cpu_stats.cpu_usage.total_usage > 100_000_000)
    assert.equal(stats.pids_stats.current, 1)
  })
  await engine.remove(id)
})

test('pause freezes and unpause thaws', async () => {
  const id = await engine.create(['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done'])
  await engine.begin(id)
  const logged = async (): Promise<number> => (await engine.call('GET', `/containers/${id}/logs?stdout=1`)).length
  await eventually(async () => assert.ok((await logged()) > 0))
  await engine.call('POST', `/containers/${id}/pause`)
  const directory = cgroupOf(await pidOf(id))
  assert.match(readFileSync(`${directory}/cgroup.events`, 'utf8'), /frozen 1/)
  // What it wrote before it was frozen may still be on its way to the log.
  const before = await eventually(async () => {
    const [length, later] = [await logged(), await sleep(500).then(logged)]
    assert.equal(later, length)
    return length
  })
  await engine.call('POST', `/containers/${id}/unpause`)
  await eventually(async () => assert.ok((await logged()) > before))
  await engine.remove(id)
})

test('devices that are not allowed cannot be opened', async () => {
  const { id, output } = await engine.run(['sh', '-c', 'mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk; head -c 1 /dev/zero | wc -c'])
  assert.match(output, /Operation not permitted/)
  assert.match(output, /^1$/m)
  await engine.remove(id)
})

test('the bridge network works on this kernel: a published port answers', async () => {
  const { Id } = await engine.call('POST', '/containers/create', {
    Image: 'starter',
    Cmd: ['sh', '-c', 'echo hello > /var/www/index.html; exec httpd -f -h /var/www'],
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
  })
  await engine.begin(Id)
  let text = ''
  for (let attempt = 0; attempt < 50 && text === ''; attempt++) {
    text = await fetch('http://127.0.0.1:8080/')
      .then((response) => response.text())
      .catch(() => '')
    if (text === '') await sleep(100)
  }
  assert.equal(text, 'hello\n')
  await engine.remove(Id)
})

test('containers survive a killed daemon, exit codes are kept', async () => {
  const id = await engine.create(['sh', '-c', 'sleep 3; exit 7'])
  const staying = await engine.create(['sleep', '1000'])
  await engine.begin(id)
  await engine.begin(staying)
  const pid = await pidOf(id)
  await engine.stop('SIGKILL')
  await eventually(() => assert.ok(!existsSync(`/proc/${pid}`)))
  await engine.start()
  assert.equal((await engine.call('GET', `/containers/${id}/json`)).State.ExitCode, 7)
  assert.equal((await engine.call('GET', `/containers/${staying}/json`)).State.Running, true)
  await engine.remove(id)
  await engine.remove(staying)
})
