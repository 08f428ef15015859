import { PassThrough, type Duplex } from 'node:stream'
import { notFound } from '#errors'
import { deferred } from '#lib'
import type { Adopted, AttachOptions, ExecSpec, Exit, LaunchSpec, Runtime, Task } from '#runtime'

/** A task that does what the test says: it runs until {@link FakeTask.end}. */
export class FakeTask implements Task {
  readonly id: string
  pid = 0
  readonly hostPid = 4242
  startedAt = 0
  deleted = false
  readonly signals: number[] = []
  readonly streams: PassThrough[] = []
  readonly #exit = deferred<Exit>()
  readonly #onStart: () => void

  constructor(id: string, onStart: () => void = () => undefined) {
    this.id = id
    this.#onStart = onStart
  }

  get exited(): Promise<Exit> {
    return this.#exit.promise
  }

  async start(): Promise<void> {
    try {
      this.#onStart()
    } catch (error) {
      // The monitor is gone, and with it every connection.
      for (const stream of this.streams) stream.end()
      throw error
    }
    this.pid = 4242
    this.startedAt = 1_700_000_000_000
  }

  async startAttached(options: AttachOptions): Promise<Duplex> {
    const stream = await this.attach(options)
    await this.start()
    return stream
  }

  async attach(_options: AttachOptions): Promise<Duplex> {
    const stream = new PassThrough()
    this.streams.push(stream)
    return stream
  }

  async kill(signal: number): Promise<void> {
    if (this.#exit.settled) throw notFound('no process')
    this.signals.push(signal)
    if (signal === 9) this.end({ exitCode: 137, signal: 9 })
  }

  async resize(): Promise<void> {}

  async delete(): Promise<void> {
    this.deleted = true
  }

  end(exit: Partial<Exit> = {}): void {
    for (const stream of this.streams) stream.end()
    this.#exit.resolve({ exitCode: 0, oomKilled: false, finishedAt: this.startedAt + 50, ...exit })
  }
}

/** Records what it is asked for. `failure` is thrown by the next start, or the next create when `failAt` says so. */
export class FakeRuntime implements Runtime {
  readonly launches: LaunchSpec[] = []
  readonly execs: ExecSpec[] = []
  readonly tasks: FakeTask[] = []
  readonly adoptable: Map<string, Adopted> = new Map()
  failure: Error | undefined
  failAt: 'create' | 'start' = 'start'

  get lastTask(): FakeTask {
    const task = this.tasks.at(-1)
    if (task === undefined) throw new Error('no task was created')
    return task
  }

  async create(spec: LaunchSpec): Promise<Task> {
    this.launches.push(spec)
    return this.#task(spec.id)
  }

  async exec(spec: ExecSpec): Promise<Task> {
    this.execs.push(spec)
    return this.#task(spec.id)
  }

  #task(id: string): FakeTask {
    if (this.failAt === 'create') this.#fail()
    const task = new FakeTask(id, () => this.#fail())
    this.tasks.push(task)
    return task
  }

  #fail(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw failure
  }

  async adopt(id: string): Promise<Adopted> {
    return this.adoptable.get(id) ?? { state: 'lost' }
  }

  async hold(): ReturnType<Runtime['hold']> {
    return { pid: 4343, [Symbol.asyncDispose]: async () => undefined }
  }

  async dismissLauncher(): Promise<void> {}

  async close(): Promise<void> {}
}
