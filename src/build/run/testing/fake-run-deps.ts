import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { SAMPLE_DEFAULTS } from '#containers'
import { createContentStore } from '#content'
import { notFound } from '#errors'
import { createFakeFiles, createFakeMounts, FULL_CGROUP_SUPPORT } from '#kernel'
import { createMemoryMetadata } from '#metadata'
import { createFakeSnapshotter } from '#snapshots'
import type { Exit, LaunchSpec, Task } from '#runtime'
import { createCacheMounts } from '../cache-mounts.ts'
import type { RunDeps } from '../types.ts'

/** What the program of a step does when it is started. Until it resolves it runs; a signal of 9 ends it in any case. */
export type FakeProgram = (stream: PassThrough) => Exit | Promise<Exit>

/** Everything a step is run with, and nothing of it real but files below a temporary directory. Disposing removes that. */
export interface FakeRunDeps extends Disposable {
  deps: RunDeps
  launches: LaunchSpec[]
  /** Ids of what holds something. */
  attached: Set<string>
  deleted: string[]
  warnings: string[]
  directory: string
  program: FakeProgram
  /** Thrown by the next launch. */
  launchError: Error | undefined
  /** Looks at the host while the launch goes on. */
  onLaunch: (spec: LaunchSpec) => void
}

const ENDED: Exit = { exitCode: 0, oomKilled: false, finishedAt: 1 }

export function createFakeRunDeps(): FakeRunDeps {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-run-'))
  const root = join(directory, 'root')
  mkdirSync(root)
  const content = createContentStore({ root: join(directory, 'content') })
  const files = createFakeFiles()
  const snapshotter = { ...createFakeSnapshotter({ content }), view: () => ({ ...files.openRoot(root), path: root }) }
  const jobs = { run: () => Promise.reject(notFound('no worker here')), [Symbol.asyncDispose]: async () => undefined }
  const attached = new Set<string>()
  const warnings: string[] = []
  const networks = {
    get: (name: string) => {
      if (!['bridge', 'host', 'none', 'app'].includes(name)) throw notFound(`network ${name} not found`)
      return { name, driver: name === 'none' ? 'null' : name === 'host' ? 'host' : 'bridge' }
    },
    list: () => [],
    attach: async ({ containerId }: { containerId: string }) => {
      attached.add(containerId)
      return { plan: { mode: 'new', host: [], inside: [], sysctls: [], reserve: [] }, endpoints: [] }
    },
    release: async (id: string) => void attached.delete(id),
    serveNames: async () => undefined,
    stopNames: async () => undefined,
  } as unknown as RunDeps['networks']
  const fake: FakeRunDeps = {
    deps: undefined as never,
    launches: [],
    attached,
    deleted: [],
    warnings,
    directory,
    program: () => ENDED,
    launchError: undefined,
    onLaunch: () => undefined,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
  async function create(spec: LaunchSpec): Promise<Task> {
    fake.launches.push(spec)
    fake.onLaunch(spec)
    const { launchError } = fake
    fake.launchError = undefined
    if (launchError !== undefined) throw launchError
    return fakeTask(fake, spec.id)
  }
  const unused = (): never => {
    throw new Error('not part of this test')
  }
  fake.deps = {
    runtime: { create, exec: unused, adopt: async () => ({ state: 'lost' }) },
    snapshotter,
    networks,
    files,
    jobs,
    mounts: createFakeMounts(),
    devices: { edits: async () => [] },
    cgroups: { version: 2, root: join(directory, 'cgroup') },
    support: FULL_CGROUP_SUPPORT,
    cgroupControl: { prepare: () => undefined, release: () => undefined },
    host: HOST,
    defaults: () => SAMPLE_DEFAULTS,
    cacheMounts: createCacheMounts({
      directory: join(directory, 'cache-mounts'),
      repository: createMemoryMetadata().repository('cacheMounts'),
      snapshotter,
      files,
      jobs,
      report: (error) => warnings.push(String(error)),
    }),
    paths: { steps: join(directory, 'steps'), stubs: join(directory, 'stubs'), cacheMounts: join(directory, 'cache-mounts') },
    binfmt: join(directory, 'binfmt'),
    warn: (message) => warnings.push(message),
  }
  return fake
}

function fakeTask(fake: FakeRunDeps, id: string): Task {
  const { promise: exited, resolve } = Promise.withResolvers<Exit>()
  const stream = new PassThrough()
  let startedAt = 0
  const end = (exit: Exit): void => {
    stream.end()
    resolve(exit)
  }
  const start = async (): Promise<void> => {
    startedAt = 1
    void Promise.resolve(fake.program(stream)).then(end)
  }
  return {
    id,
    pid: 1,
    hostPid: 1,
    get startedAt() {
      return startedAt
    },
    exited,
    start,
    async startAttached() {
      await start()
      return stream
    },
    attach: async () => stream,
    async kill(signal) {
      if (signal === 9) end({ exitCode: 137, signal: 9, oomKilled: false, finishedAt: 1 })
    },
    resize: async () => undefined,
    delete: async () => void fake.deleted.push(id),
  }
}

const HOST: RunDeps['host'] = {
  machine: 'x64',
  kernel: '6.18.0',
  capabilities: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN'],
  apparmor: false,
  recursiveReadOnly: true,
  thermalThrottlePaths: [],
  sysctlExists: () => true,
  devicesAt: () => undefined,
  allDevices: () => [],
  propagationOf: () => ({ mountPoint: '/', propagation: 'private' }),
}
