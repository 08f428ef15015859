import { internal } from '#errors'
import { adopt } from './adopt.ts'
import { compileExec } from './compile-exec.ts'
import { compileHold, compileLaunch, compileUserNamespace } from './compile.ts'
import { prepareHooks, runCreateHooks, runPoststartHooks } from './hooks/launch-hooks.ts'
import { openUserNamespaces } from './id-mapping.ts'
import { launchError } from './launch-error.ts'
import { createLauncher } from './launcher.ts'
import { MessageChannel, type Message } from './message-channel.ts'
import { assertLittleEndian, type Plan } from './plan-writer.ts'
import { MonitoredTask, type TaskWarning } from './task.ts'
import type { CompileSeccomp, HoldSpec, LaunchSpec, Runtime } from './types.ts'

export interface RuntimeDeps {
  /** Path of the C program. */
  binary: string
  /** Socket of the launcher; its directory exists and is root's alone. */
  socket: string
  compileSeccomp: CompileSeccomp
  /** What goes wrong beside a task: hooks that come after its start or its end. */
  warn: TaskWarning
}

/** Does nothing until the first call. */
export function createRuntime(deps: RuntimeDeps): Runtime {
  assertLittleEndian()
  const launcher = createLauncher(deps)
  const tasks = new Set<MonitoredTask>()

  function track(task: MonitoredTask): MonitoredTask {
    tasks.add(task)
    void task.exited.then(() => tasks.delete(task))
    return task
  }

  /**
   * Sends the plan and waits for `created`; throws LaunchError when an operation before it failed. The plan is made while the launcher forks the
   * monitor.
   */
  async function launch(
    id: string,
    stateDir: string,
    compile: () => Plan,
    afterStart?: (pid: number) => Promise<void>,
  ): Promise<MonitoredTask> {
    const connecting = launcher.connect()
    let plan: Plan
    try {
      plan = compile()
    } catch (error) {
      void connecting.then((socket) => socket.destroy()).catch(() => {})
      throw error
    }
    const created = Promise.withResolvers<MonitoredTask>()
    let failure: Error | undefined
    let launched = false
    const channel = new MessageChannel(await connecting, (message: Message) => {
      if (message.name === 'failed') failure = launchError(plan.operations, message.fields.operation, message.fields.errno)
      if (message.name === 'created') {
        const { pid } = message.fields
        launched = true
        const { operations } = plan
        const after = afterStart && { afterStart: () => afterStart(pid) }
        created.resolve(new MonitoredTask({ id, stateDir, channel, operations, pid, startedAt: 0, warn: deps.warn, ...after }))
      }
    })
    channel.send('launch', {}, plan.bytes)
    // Its end, not `failed` itself: by then all is undone.
    void channel.closed.then((reason) => {
      if (!launched) created.reject(failure ?? internal(`the launcher does not answer (${reason?.message ?? 'connection closed'})`))
    })
    return created.promise
  }

  async function launchHooked(spec: LaunchSpec, compile: () => Plan): Promise<MonitoredTask> {
    prepareHooks(spec)
    const warn = (error: unknown): void => deps.warn('a poststart hook failed', { task: spec.id, error: String(error) })
    const task = track(await launch(spec.id, spec.stateDir, compile, (pid) => runPoststartHooks(spec, pid, warn)))
    try {
      await runCreateHooks(spec, task.hostPid, deps.binary)
      return task
    } catch (error) {
      await task.delete()
      throw error
    }
  }

  async function hold(id: string, stateDir: string, compile: () => Plan): Promise<AsyncDisposable & { pid: number }> {
    const task = await launch(id, stateDir, compile)
    return { pid: task.hostPid, [Symbol.asyncDispose]: () => task.delete() }
  }

  const userNamespaces = ({ id, stateDir, spec }: HoldSpec): ReturnType<typeof openUserNamespaces> =>
    openUserNamespaces(spec, stateDir, (directory) => hold(id, directory, () => compileUserNamespace(id, directory)))

  return {
    async create(spec) {
      await using namespaces = await userNamespaces(spec)
      const compile = (): Plan => compileLaunch(spec, deps.compileSeccomp, namespaces?.paths)
      return spec.spec.hooks === undefined ? track(await launch(spec.id, spec.stateDir, compile)) : await launchHooked(spec, compile)
    },
    async exec(spec) {
      return track(await launch(spec.id, spec.stateDir, () => compileExec(spec, deps.compileSeccomp)))
    },
    async adopt(id, stateDir) {
      const { adopted, task } = await adopt(id, stateDir, deps.warn)
      if (task !== undefined) track(task)
      return adopted
    },
    async hold(spec) {
      await using namespaces = await userNamespaces(spec)
      return await hold(spec.id, spec.stateDir, () => compileHold(spec, namespaces?.paths))
    },
    async dismissLauncher() {
      if (tasks.size === 0) await launcher.dismiss()
    },
    async close() {
      for (const task of tasks) task.disconnect()
      tasks.clear()
    },
  }
}
