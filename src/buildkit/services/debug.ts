import { constants } from 'node:os'
import type { DebugContainer, DebugContainerRequest, DebugProcess, FailedStep } from '#build'
import { invalidArgument, notFound, notImplemented } from '#errors'
import { Code, ops, toGrpcError, toStatus, type gateway, type MessageInitShape, type ServiceImpl } from '#grpc'
import { FrameReader } from '#lib'
import type { ClientBuild } from '../client-build.ts'
import { Outbox } from '../session/outbox.ts'
import type { FindBuild, ServiceContext } from './context.ts'

type Bridge = ServiceImpl<typeof gateway.LLBBridge>
type ExecInit = MessageInitShape<typeof gateway.ExecMessageSchema>

const STDIN = 0
const STDOUT = 1
const STDERR = 2

/** Containers to look around in: the state before a failed step, or any file systems. */
export function debugMethods(
  context: ServiceContext,
  buildOf: FindBuild,
): Pick<Bridge, 'newContainer' | 'releaseContainer' | 'execProcess'> {
  return {
    async newContainer(request, call) {
      const client = await buildOf(call)
      client.addContainer(request.containerId, await client.build.openContainer(containerRequest(context, client, request)))
      return {}
    },

    async releaseContainer({ containerId }, call) {
      const { containers } = await buildOf(call)
      const container = containers.get(containerId)
      containers.delete(containerId)
      await container?.[Symbol.asyncDispose]()
      return {}
    },

    async *execProcess(messages, call) {
      const client = await buildOf(call)
      const outbox = new Outbox<ExecInit>()
      const processes = new Map<string, Process>()
      const reading = (async () => {
        for await (const message of messages) {
          if (message.input.case === 'init') {
            const process = new Process(message.processId, outbox)
            processes.set(message.processId, process)
            void process.run(client, message.input.value)
          } else await processes.get(message.processId)?.take(message.input)
        }
      })().finally(() => outbox.end())
      try {
        yield* outbox
        await reading
      } finally {
        for (const process of processes.values()) process.end()
      }
    },
  }
}

function containerOf({ containers }: ClientBuild, id: string): DebugContainer {
  const container = containers.get(id)
  if (container === undefined) throw notFound(`container ${id} not found`)
  return container
}

function containerRequest(context: ServiceContext, client: ClientBuild, request: gateway.NewContainerRequest): DebugContainerRequest {
  const { network, hostname } = request
  const step = failedStep(client, request.mounts)
  return {
    ...(step === undefined ? { mounts: request.mounts.map((mount) => containerMount(context, mount)) } : { step }),
    network: network === ops.NetMode.HOST ? 'host' : network === ops.NetMode.NONE ? 'none' : 'default',
    hostname,
    extraHosts: request.extraHosts.map(({ host, ip }) => ({ host, address: ip })),
  }
}

/** An error of a step names the results for its mounts; whoever wants them gets all mounts of the step, as they were. */
function failedStep({ failedSteps }: ClientBuild, mounts: readonly ops.Mount[]): FailedStep | undefined {
  return mounts.map(({ resultId }) => failedSteps.get(resultId)).find((step) => step !== undefined)
}

function containerMount({ refs }: ServiceContext, mount: ops.Mount): NonNullable<DebugContainerRequest['mounts']>[number] {
  if (mount.mountType !== ops.MountType.BIND) throw notImplemented('mounts that are no file systems, in containers to look around in')
  return { target: mount.dest, edge: refs.find(mount.resultId), readonly: mount.readonly, selector: mount.selector }
}

type Running = Awaited<ReturnType<DebugContainer['run']>>

/** One program, and its part of the stream of messages. */
class Process {
  readonly #id: string
  readonly #outbox: Outbox<ExecInit>
  readonly #running = Promise.withResolvers<Running>()

  constructor(id: string, outbox: Outbox<ExecInit>) {
    this.#id = id
    this.#outbox = outbox
    this.#running.promise.catch(() => {})
  }

  /** Of a container that is released meanwhile the client hears that it was. */
  async run(client: ClientBuild, init: gateway.InitMessage): Promise<void> {
    try {
      const container = containerOf(client, init.containerId)
      const running = await container.run(processOf(init))
      this.#running.resolve(running)
      void this.#send({ case: 'started', value: {} })
      await this.#forward(running, init.tty)
      const code = await running.exited
      const isReleased = client.containers.get(init.containerId) !== container
      void this.#send({ case: 'exit', value: { code, ...(isReleased && { error: { code: Code.Canceled, message: 'context canceled' } }) } })
    } catch (error) {
      this.#running.reject(error)
      void this.#send({ case: 'exit', value: { code: 255, error: toStatus(toGrpcError(error)) } })
    }
    void this.#send({ case: 'done', value: {} })
  }

  async take(input: gateway.ExecMessage['input']): Promise<void> {
    const running = await this.#running.promise.catch(() => undefined)
    if (running === undefined) return
    if (input.case === 'file' && input.value.fd === STDIN) {
      if (input.value.data.length > 0) running.stream.write(input.value.data)
      if (input.value.eof) running.stream.end()
    } else if (input.case === 'resize') await running.resize(input.value.rows, input.value.cols)
    else if (input.case === 'signal') await running.kill(signalNumber(input.value.name))
  }

  /** The client has gone: so does the program. */
  end(): void {
    void this.#running.promise.then(
      (running) => running.kill(constants.signals.SIGKILL).catch(() => {}),
      () => {},
    )
  }

  async #forward({ stream }: Running, tty: boolean): Promise<void> {
    let parts: { fd: number; data: Buffer }[] = []
    const frames = new FrameReader((source, data) => parts.push({ fd: source === STDERR ? STDERR : STDOUT, data }))
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      parts = []
      if (tty) parts.push({ fd: STDOUT, data: chunk })
      else frames.write(chunk)
      for (const value of parts) await this.#send({ case: 'file', value })
    }
    for (const fd of tty ? [STDOUT] : [STDOUT, STDERR]) void this.#send({ case: 'file', value: { fd, eof: true } })
  }

  #send(input: NonNullable<ExecInit['input']>): Promise<void> {
    return this.#outbox.push({ processId: this.#id, input })
  }
}

function processOf({ meta, tty, secretEnv }: gateway.InitMessage): DebugProcess {
  if (meta === undefined || meta.args.length === 0) throw invalidArgument('no program to run')
  if (secretEnv.length > 0) throw notImplemented('secrets in containers to look around in')
  return { args: meta.args, env: meta.env, cwd: meta.cwd === '' ? '/' : meta.cwd, user: meta.user, tty }
}

function signalNumber(name: string): number {
  const number = constants.signals[`SIG${name.replace(/^SIG/, '')}` as NodeJS.Signals]
  if (number === undefined) throw invalidArgument(`unknown signal ${name}`)
  return number
}
