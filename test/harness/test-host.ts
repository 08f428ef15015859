import { spawn, spawnSync, type ChildProcess, type SpawnSyncReturns } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { once } from 'node:events'

/**
 * A machine for one test: a network and a mount namespace of its own, held open by a sleeping process. What runs "on" it sees the same
 * files as we do, but its mounts, interfaces and firewall are its own and end with it. Needs root, unshare, nsenter and ip.
 */
export class TestHost implements AsyncDisposable {
  readonly pid: number
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess, pid: number) {
    this.#holder = holder
    this.pid = pid
  }

  static async create(): Promise<TestHost> {
    const holder = spawn(
      'unshare',
      ['-m', '-n', '--propagation', 'private', 'sh', '-c', 'ip link set lo up && echo ready && exec sleep 100000'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const { stdout } = holder
    if (stdout === null || holder.pid === undefined) throw new Error('Cannot start a test host: unshare did not run')
    const failed = once(holder, 'exit').then(() => 'failed')
    if ((await Promise.race([once(stdout, 'data'), failed])) === 'failed') throw new Error('Cannot start a test host: it ended')
    return new TestHost(holder, holder.pid)
  }

  /** argv that runs `command` on this host. */
  wrap(command: readonly string[]): string[] {
    return ['nsenter', '-t', String(this.pid), '-m', '-n', ...command]
  }

  run(command: readonly string[], options: { input?: string; env?: Record<string, string> } = {}): SpawnSyncReturns<string> {
    const [program = '', ...args] = this.wrap(command)
    return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options, env: { ...process.env, ...options.env } })
  }

  /** Like `run`, but a failing command throws with what it said. Returns stdout. */
  must(command: readonly string[], options: { input?: string; env?: Record<string, string> } = {}): string {
    const result = this.run(command, options)
    if (result.status !== 0) throw new Error(`${command.join(' ')}: exit ${result.status}: ${result.stderr}${result.stdout}`)
    return result.stdout
  }

  /** Joins this host and `other` by a veth pair: `name` here, the same name there, with the given addresses (CIDR). */
  connect(other: TestHost, name: string, here: string, there: string): void {
    this.must(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', String(other.pid)])
    for (const [host, address] of [
      [this, here],
      [other, there],
    ] as const) {
      host.must(['ip', 'address', 'add', address, 'dev', name])
      host.must(['ip', 'link', 'set', name, 'up'])
    }
  }

  /** Processes that live in this host's mount namespace, the holder left out. */
  processes(): { pid: number; command: string }[] {
    const namespace = readlinkSync(`/proc/${this.pid}/ns/mnt`)
    const found: { pid: number; command: string }[] = []
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry)
      if (!Number.isInteger(pid) || pid === this.pid) continue
      try {
        if (readlinkSync(`/proc/${pid}/ns/mnt`) !== namespace) continue
        found.push({ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() })
      } catch {
        // The process ended while we looked.
      }
    }
    return found
  }

  mounts(): string[] {
    return readFileSync(`/proc/${this.pid}/mounts`, 'utf8').trim().split('\n')
  }

  interfaces(): string[] {
    return this.must(['ip', '-o', 'link'])
      .trim()
      .split('\n')
      .map((line) => line.split(': ')[1]?.split('@')[0] ?? '')
  }

  /** Ends every process on the host, then the host itself. Only processes that a test started can be there. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone already.
      }
    }
    const ended = once(this.#holder, 'exit')
    this.#holder.kill('SIGKILL')
    await ended
  }
}
