/**
 * A runtime on a bench: a launcher of its own, a busybox root file system, specs with Docker's mounts, and checks that nothing is left behind.
 * To be used inside `unshared`.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { CapabilitySets, MountSpec, ProcessSpec, RuntimeSpec } from '#oci'
import { createRuntime, type ExecSpec, type LaunchSpec, type Runtime, type Task } from '#runtime'
import { eventually } from '../../harness/eventually.ts'

const BINARY = join(import.meta.dirname, '../../../native/init/build/gantry-init')
const APPLETS =
  'sh cat echo true false sleep id ls ps mount hostname head yes dd wc stty tty kill env pwd grep test touch readlink mkdir rm stat seq md5sum nc umask ulimit chmod cut tr'
const CAPABILITIES = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_SETGID', 'CAP_SETUID', 'CAP_KILL', 'CAP_NET_RAW', 'CAP_SETPCAP']
export const SETS: CapabilitySets = {
  bounding: CAPABILITIES,
  effective: CAPABILITIES,
  permitted: CAPABILITIES,
  inheritable: [],
  ambient: [],
}

export const MOUNTS: MountSpec[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'] },
]

/** What a test wants to be different. */
export interface Changes {
  process?: Partial<ProcessSpec>
  linux?: Partial<RuntimeSpec['linux']>
  mounts?: MountSpec[]
  root?: Partial<RuntimeSpec['root']>
  stdio?: Partial<LaunchSpec['stdio']>
  launch?: Partial<LaunchSpec>
}

export class Bench {
  readonly binary: string = BINARY
  readonly base: string = mkdtempSync(join(tmpdir(), 'gantry-runtime-'))
  readonly rootfs: string = join(this.base, 'rootfs')
  readonly socket: string = join(this.base, 'launcher.sock')
  readonly runtime: Runtime = this.newRuntime()
  #count = 0

  constructor() {
    for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'root', 'home']) mkdirSync(join(this.rootfs, name), { recursive: true })
    copyFileSync('/bin/busybox', join(this.rootfs, 'bin/busybox'))
    for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(this.rootfs, 'bin', applet))
    mkdirSync(join(this.base, 'tasks'))
  }

  newRuntime(): Runtime {
    return createRuntime({
      binary: BINARY,
      socket: this.socket,
      compileSeccomp: () => Buffer.from('0600000000000fff7f'.slice(0, 16), 'hex'),
      warn: () => undefined,
    })
  }

  /** A fresh id with its state directory. */
  state(): { id: string; stateDir: string } {
    const id = (++this.#count).toString(16).padStart(12, '0').padEnd(64, 'f')
    const stateDir = join(this.base, 'tasks', id)
    mkdirSync(stateDir)
    return { id, stateDir }
  }

  launch(args: string[], changes: Changes = {}): LaunchSpec {
    const { id, stateDir } = this.state()
    return {
      id,
      stateDir,
      rootfs: { directory: this.rootfs },
      cgroup: { version: 1, directories: [], writes: [], join: [], remove: [] },
      network: { mode: 'new', host: [], inside: [], sysctls: [], reserve: [] },
      stdio: {
        tty: false,
        openStdin: false,
        stdinOnce: false,
        log: { driver: 'json-file', path: join(stateDir, 'log'), maxSize: 0, maxFile: 1, extra: '' },
        ...changes.stdio,
      },
      spec: {
        ociVersion: '1.2.1',
        process: { user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/', capabilities: SETS, ...changes.process },
        root: { path: 'rootfs', ...changes.root },
        hostname: 'bench',
        mounts: changes.mounts ?? MOUNTS,
        linux: {
          namespaces: (['pid', 'mount', 'uts', 'ipc', 'network'] as const).map((type) => ({ type })),
          maskedPaths: ['/proc/kcore', '/proc/nothing', '/sys/firmware', '/proc/acpi'],
          readonlyPaths: ['/proc/sys', '/proc/bus'],
          ...changes.linux,
        },
      },
      ...changes.launch,
    }
  }

  exec(task: Task, args: string[], changes: { process?: Partial<ProcessSpec>; stdio?: Partial<ExecSpec['stdio']> } = {}): ExecSpec {
    return {
      ...this.state(),
      targetPid: task.pid,
      process: { user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/', capabilities: SETS, ...changes.process },
      cgroup: { version: 1, join: [] },
      stdio: { tty: false, openStdin: false, stdinOnce: false, ...changes.stdio },
    }
  }

  /** Runs a program to its end; output as an attached client without terminal gets it. */
  async run(
    args: string[],
    changes: Changes = {},
  ): Promise<{ exitCode: number; signal?: number; stdout: string; stderr: string; log: LogLine[] }> {
    const spec = this.launch(args, changes)
    const task = await this.runtime.create(spec)
    return { ...(await finish(task)), log: readLog(join(spec.stateDir, 'log')) }
  }

  async runExec(
    task: Task,
    args: string[],
    changes: Parameters<Bench['exec']>[2] = {},
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    return finish(await this.runtime.exec(this.exec(task, args, changes)))
  }

  /** Pids of our launcher and everything below it. */
  processes(): { pid: number; title: string }[] {
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(processInfo)
    const launcher = all.find(({ title }) => title === `gantry-launcher ${this.socket}`)
    if (launcher === undefined) return []
    const found = [launcher]
    for (let parents = [launcher.pid]; parents.length > 0;) {
      const children = all.filter(({ parent }) => parents.includes(parent))
      found.push(...children)
      parents = children.map(({ pid }) => pid)
    }
    return found
  }

  /** Ends the launcher after checking that it has neither children nor descriptors beyond its own, and that nothing is mounted. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.close()
    await eventually(() => assert.deepEqual(this.processes().slice(1), [], 'processes left behind'))
    const [launcher] = this.processes()
    assert.ok(launcher, 'the launcher has died')
    const descriptors = readdirSync(`/proc/${launcher.pid}/fd`)
    assert.ok(descriptors.length <= 8, `the launcher holds ${descriptors.length} descriptors`)
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(this.base), 'mounts left behind')
    process.kill(launcher.pid)
    await eventually(() => assert.ok(!existsSync(`/proc/${launcher.pid}`)))
    rmSync(this.base, { recursive: true })
  }
}

export interface LogLine {
  log: string
  stream: string
  time: string
  [member: string]: unknown
}

export function readLog(path: string): LogLine[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine)
}

function processInfo(name: string): { pid: number; parent: number; title: string }[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
    const title = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [{ pid: Number(name), parent: Number(parent), title }]
  } catch {
    return [] // It has ended meanwhile.
  }
}

/** Attaches, starts, and reads everything. */
export async function finish(task: Task): Promise<{ exitCode: number; signal?: number; stdout: string; stderr: string }> {
  const stream = await task.attach({ stdin: false, stdout: true, stderr: true })
  const output = readFrames(stream)
  await task.start()
  const [exit, { stdout, stderr }] = await Promise.all([task.exited, output])
  await task.delete()
  const { exitCode, signal } = exit
  return { exitCode, ...(signal !== undefined && { signal }), stdout: stdout.toString(), stderr: stderr.toString() }
}

/** Takes Docker's frames apart. */
export async function readFrames(stream: Duplex): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const all = await readAll(stream)
  const parts: Record<number, Buffer[]> = { 1: [], 2: [] }
  for (let at = 0; at < all.length;) {
    const size = all.readUInt32BE(at + 4)
    parts[all[at]!]!.push(all.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return { stdout: Buffer.concat(parts[1]!), stderr: Buffer.concat(parts[2]!) }
}

export async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export function write(path: string, text: string, mode = 0o755): void {
  writeFileSync(path, text, { mode })
}
