import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeCgroups, starterImage, TestHost } from '../../test/harness/index.ts'
import { Api } from '../api.ts'

/** How to start an engine: its name in the results and its command line. */
export interface PeerRecipe {
  name: string
  command(places: { data: string; state: string; socket: string; cgroupParent: string }): string[]
}

/** A running engine on a test host of its own, reached by its socket only. */
export class Peer implements AsyncDisposable {
  readonly name: string
  readonly host: TestHost
  readonly directory: string
  /** On a tmpfs, as /run is on the machines where engines run. */
  readonly state: string
  readonly socket: string
  readonly api: Api
  readonly #recipe: PeerRecipe
  readonly #cgroupParent: string
  #daemon: ChildProcess | undefined

  private constructor(recipe: PeerRecipe, host: TestHost, place: string) {
    this.#recipe = recipe
    this.name = recipe.name
    this.host = host
    this.directory = mkdtempSync(join(place, 'gantry-bench-'))
    this.state = mkdtempSync('/dev/shm/gantry-bench-')
    this.socket = join(this.directory, 'api.sock')
    this.#cgroupParent = `gantry-bench-${process.pid}-${recipe.name}`
    this.api = new Api(this.socket)
  }

  /** `place`: directory in which its data root is made. */
  static async start(recipe: PeerRecipe, place: string = tmpdir()): Promise<Peer> {
    const peer = new Peer(recipe, await TestHost.create(), place)
    mkdirSync(join(peer.directory, 'shared'))
    await peer.startDaemon()
    peer.host.must(['docker', '-H', `unix://${peer.socket}`, 'import', '--change', 'CMD ["sh"]', starterImage(), 'starter'])
    return peer
  }

  /** Starts the daemon; milliseconds until it answers the first request. */
  async startDaemon(): Promise<number> {
    const [program = '', ...args] = this.host.wrap(
      this.#recipe.command({
        data: join(this.directory, 'data'),
        state: join(this.state, 'state'),
        socket: this.socket,
        cgroupParent: `/${this.#cgroupParent}`,
      }),
    )
    const start = performance.now()
    this.#daemon = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
    for (;;) {
      try {
        await this.api.call('GET', '/containers/json?all=1')
        return performance.now() - start
      } catch (error) {
        if (performance.now() - start > 60_000) throw error
        await sleep(2)
      }
    }
  }

  async stopDaemon(): Promise<void> {
    if (this.#daemon === undefined) return
    const ended = once(this.#daemon, 'exit')
    this.#daemon.kill('SIGTERM')
    await ended
  }

  /** Every process of the engine: all that lives in the host's mount namespace (containers have their own). */
  processes(): number[] {
    return this.host.processes().map(({ pid }) => pid)
  }

  async removeAll(): Promise<void> {
    const list: { Id: string }[] = await this.api.call('GET', '/containers/json?all=1')
    await Promise.all(list.map(({ Id }) => this.api.call('DELETE', `/containers/${Id}?force=1&v=1`)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.removeAll().catch(() => undefined)
    this.api.close()
    await this.stopDaemon()
    await this.host[Symbol.asyncDispose]()
    // A peer may leave some below: dockerd's BuildKit its `buildkit`.
    removeCgroups(this.#cgroupParent)
    for (const path of [this.directory, this.state]) rmSync(path, { recursive: true, force: true })
  }
}
