import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { conflict, internal, invalidArgument, notFound } from '#errors'
import { requestAttach, type AttachRequest } from './attach-stream.ts'
import { runPoststopHooks } from './hooks/launch-hooks.ts'
import { exitOf, milliseconds, readExitRecord } from './exit-record.ts'
import { errnoCode, launchError } from './launch-error.ts'
import type { Message, MessageChannel } from './message-channel.ts'
import type { Plan } from './plan-writer.ts'
import { EXIT_RECORD, MONITOR_SOCKET } from './protocol.ts'
import type { AttachOptions, Exit, LaunchError, Task } from './types.ts'

/** SIGKILL: what a container ends with when its monitor is killed. */
const KILLED: Pick<Exit, 'exitCode' | 'signal' | 'oomKilled'> = { exitCode: 137, signal: 9, oomKilled: false }

/** Told of what does not change how a task goes on. */
export type TaskWarning = (message: string, fields: Record<string, unknown>) => void

/** A task as its monitor shows it over the control connection. Made by `createTask` after `created`, by `adopt` after `state`. */
export class MonitoredTask implements Task {
  readonly id: string
  /** What holds the mounts of a `hold`, too. */
  readonly hostPid: number
  readonly exited: Promise<Exit>
  readonly #stateDir: string
  readonly #channel: MessageChannel
  readonly #operations: Plan['operations']
  readonly #warn: TaskWarning
  /** What comes after `started`: hooks. */
  readonly #afterStart: (() => Promise<void>) | undefined
  readonly #results: { resolve: (errno: number) => void }[] = []
  #pid: number
  #startedAt: number
  #starting: PromiseWithResolvers<void> | undefined
  #failure: LaunchError | undefined
  #exit: Exit | undefined

  constructor(options: {
    id: string
    stateDir: string
    channel: MessageChannel
    operations: Plan['operations']
    pid: number
    /** 0: not started yet. */
    startedAt: number
    warn: TaskWarning
    afterStart?: () => Promise<void>
  }) {
    this.id = options.id
    this.#stateDir = options.stateDir
    this.#channel = options.channel
    this.#operations = options.operations
    this.#warn = options.warn
    this.#afterStart = options.afterStart
    this.hostPid = options.pid
    this.#startedAt = options.startedAt
    this.#pid = options.startedAt > 0 ? options.pid : 0
    this.exited = new Promise((resolve) => {
      this.#channel.onMessage((message) => {
        if (message.name === 'exited') resolve((this.#exit = exitOf(message.fields)))
        else this.#receive(message)
      })
      void this.#channel.closed.then(async () => resolve(await this.#disconnected()))
    })
  }

  get pid(): number {
    return this.#pid
  }

  get startedAt(): number {
    return this.#startedAt
  }

  async start(): Promise<void> {
    if (this.#starting !== undefined || this.#startedAt > 0) throw conflict(`task ${this.id} has been started already`)
    if (this.#exit !== undefined) throw this.#failure ?? this.#died()
    this.#starting = Promise.withResolvers()
    this.#channel.send('start', {})
    await this.#starting.promise
    await this.#afterStart?.()
  }

  async startAttached(options: AttachOptions): Promise<Duplex> {
    using undo = new DisposableStack()
    try {
      const request = undo.use(await this.#requestAttach(options))
      await this.start()
      const stream = await request.registered()
      undo.move()
      return stream
    } catch (error) {
      // It could not be attached to, and now nobody is going to start it.
      if (this.#starting === undefined && this.#startedAt === 0) await this.delete()
      throw error
    }
  }

  async attach(options: AttachOptions): Promise<Duplex> {
    return (await this.#requestAttach(options)).registered()
  }

  #requestAttach(options: AttachOptions): Promise<AttachRequest> {
    return requestAttach(join(this.#stateDir, MONITOR_SOCKET), options)
  }

  async kill(signal: number): Promise<void> {
    const errno = await this.#request(() => this.#channel.send('kill', { signal }))
    if (errno === 0) return
    const code = errnoCode(errno)
    if (code === 'ESRCH') throw notFound(`no process in task ${this.id}`)
    if (code === 'EINVAL') throw invalidArgument(`invalid signal: ${signal}`)
    throw internal(`Cannot send signal ${signal} to task ${this.id}: ${code}`)
  }

  async resize(height: number, width: number): Promise<void> {
    const errno = await this.#request(() => this.#channel.send('resize', { height, width }))
    if (errno !== 0)
      throw invalidArgument(`cannot resize task ${this.id}: ${errnoCode(errno) === 'ENOTTY' ? 'it has no terminal' : errnoCode(errno)}`)
  }

  async delete(): Promise<void> {
    if (this.#exit === undefined && this.#startedAt > 0) throw conflict(`task ${this.id} is running`)
    // Before a start this undoes it; after an exit the monitor ends the connection by itself once its control groups are gone.
    if (this.#exit === undefined) this.#channel.end()
    await this.#channel.closed
    // Asked for first, as an exec leaves neither, and on the spot: a system call costs less than a trip to the thread pool.
    for (const path of [MONITOR_SOCKET, EXIT_RECORD].map((name) => join(this.#stateDir, name)))
      if (existsSync(path)) rmSync(path, { force: true })
    await runPoststopHooks(this.#stateDir, (error) => this.#warn('a poststop hook failed', { task: this.id, error: String(error) }))
  }

  /** Forgets the connection; the container goes on. */
  disconnect(): void {
    this.#channel.destroy()
  }

  #receive(message: Message): void {
    switch (message.name) {
      case 'started':
        this.#startedAt = milliseconds(message.fields.startedAt)
        this.#pid = message.fields.pid
        this.#starting?.resolve()
        break
      case 'failed':
        // Thrown when the connection ends, as everything is undone by then.
        this.#failure = launchError(this.#operations, message.fields.operation, message.fields.errno)
        break
      case 'result':
        this.#results.shift()?.resolve(message.fields.errno)
        break
      default:
        break
    }
  }

  async #request(send: () => void): Promise<number> {
    if (this.#exit !== undefined) throw notFound(`no process in task ${this.id}`)
    const result = Promise.withResolvers<number | undefined>()
    this.#results.push(result)
    send()
    const errno = await Promise.race([result.promise, this.#channel.closed.then(() => undefined)])
    if (errno === undefined) throw notFound(`no process in task ${this.id}`)
    return errno
  }

  #died(): Error {
    return internal(`the monitor of task ${this.id} has died`)
  }

  /** The connection has ended without `exited`: the launch failed, was thrown away, or the monitor was killed, and the container with it. */
  async #disconnected(): Promise<Exit> {
    if (this.#startedAt === 0) this.#starting?.reject(this.#failure ?? this.#died())
    const exit = this.#exit ?? (await readExitRecord(this.#stateDir).catch(() => undefined))
    this.#exit = exit ?? { ...KILLED, finishedAt: Date.now() }
    return this.#exit
  }
}
