/**
 * A step runner over the real kernel: storage, networks, cgroups and a launcher of its own, and busybox as an unpacked layer. To be used inside `unshared`.
 * Disposing checks that nothing is left behind.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCacheMounts, createExecRunner, restoreSteps, type RunDeps } from '../../../src/build/run/index.ts'
import { vertex } from '../../../src/build/graph/digest.ts'
import { PLAIN_EXEC } from '../../../src/build/graph/plain-exec.ts'
import type { LayerRef, Ref } from '../../../src/build/graph/ref.ts'
import type { ExecOp, Mount } from '../../../src/build/graph/types.ts'
import type { BuildSession } from '../../../src/build/session.ts'
import type { Entitlement, Step, StepRunner } from '../../../src/build/types.ts'
import { probeHostFacts, SAMPLE_DEFAULTS } from '#containers'
import { notFound } from '#errors'
import {
  cgroupSupport,
  createCgroupDevices,
  createFiles,
  createMounts,
  createSeccompFilters,
  DEFAULT_PROFILE,
  detectCgroupLayout,
  prepareCgroupParent,
} from '#kernel'
import { createRuntime, type Runtime } from '#runtime'
import { cgroupsOf } from '../../harness/index.ts'
import { tar, type TarEntry } from '../../harness/tar.ts'
import { startDaemon, type Daemon } from '../networks/topology.ts'
import { openStorage, type Storage } from '../storage/storage.ts'

const BINARY = join(import.meta.dirname, '../../../native/init/build/gantry-init')
const APPLETS =
  'sh cat echo true false sleep id ls mount umount hostname yes env pwd grep test touch mkdir rm stat seq nc chmod dd wc find ip ping nslookup ps kill df head'
const ROOT: Mount = { type: 'bind', target: '/', input: 0, selector: '', readonly: false, output: 0, contentKey: false }

/** What a test wants to be different of `sh -c`. */
export interface Wanted {
  op?: Partial<ExecOp>
  /** Besides the root. */
  mounts?: Mount[]
  /** Besides the base. */
  inputs?: Ref[]
  session?: Partial<BuildSession>
  entitlements?: Entitlement[]
  signal?: AbortSignal
  base?: LayerRef
  /** Instead of collecting. */
  log?: Step['log']
}

export interface Ran {
  outputs: readonly LayerRef[]
  stdout: string
  stderr: string
}

export interface World extends AsyncDisposable {
  storage: Storage
  daemon: Daemon
  deps: RunDeps
  runner: StepRunner
  base: LayerRef
  /** Below it everything of the steps lies. */
  directory: string
  cgroupParent: string
  warnings: string[]
  /** Unpacks files as a layer over nothing. */
  layer(entries: TarEntry[]): Promise<LayerRef>
  step(script: string, wanted?: Wanted): { inputs: readonly Ref[]; step: Step; output: { stdout: string; stderr: string } }
  run(script: string, wanted?: Wanted): Promise<Ran>
  /** Paths of a chain's topmost layer, relative, sorted. */
  filesOf(ref: LayerRef | undefined): string[]
  /** Text of a file in a chain. */
  read(ref: LayerRef | undefined, path: string): string
  /** Nothing of any step is left on the machine. */
  assertClean(): void
  newRuntime(): Runtime
}

export async function createWorld(options: { directory?: string } = {}): Promise<World> {
  const directory = mkdtempSync(join(options.directory ?? tmpdir(), 'gantry-build-run-'))
  const storage = await openStorage({ workerEntry: new URL('../build-files/worker-entry.ts', import.meta.url) })
  const daemon = await startDaemon()
  const layout = detectCgroupLayout()
  const cgroupParent = `/gantry-test-${process.pid}`
  prepareCgroupParent(layout, cgroupParent)
  const host = probeHostFacts()
  const filters = createSeccompFilters({ profile: DEFAULT_PROFILE, machine: host.machine, kernel: host.kernel })
  const newRuntime = (): Runtime =>
    createRuntime({ binary: BINARY, socket: join(directory, 'launcher.sock'), compileSeccomp: filters.program, warn: () => undefined })
  const runtime = newRuntime()
  const files = createFiles()
  const mounts = createMounts()
  const devices = createCgroupDevices()
  const warnings: string[] = []
  const paths = { steps: join(directory, 'steps'), stubs: join(storage.root, 'stubs'), cacheMounts: join(storage.root, 'cache-mounts') }
  const { snapshotter } = storage
  const cacheMounts = createCacheMounts({
    directory: paths.cacheMounts,
    repository: storage.metadata.repository('cacheMounts'),
    snapshotter,
    files,
    jobs: storage.jobs,
    report: (error) => warnings.push(String(error)),
  })
  const deps: RunDeps = {
    runtime,
    snapshotter,
    networks: daemon.networks,
    files,
    jobs: storage.jobs,
    mounts,
    cgroups: layout,
    support: cgroupSupport(layout, cgroupParent),
    cgroupControl: {
      prepare(parent, plan) {
        prepareCgroupParent(layout, parent)
        devices.attach(plan)
      },
      release: () => undefined,
    },
    host,
    defaults: () => ({ ...SAMPLE_DEFAULTS, cgroupParent, cgroupVersion: layout.version, defaultSeccomp: filters.defaultFor }),
    cacheMounts,
    devices: { edits: async () => [] },
    paths,
    warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`),
  }
  await restoreSteps(deps)
  await cacheMounts.restore()
  const runner = createExecRunner(deps)
  const lease = storage.content.lease()

  async function layer(entries: TarEntry[]): Promise<LayerRef> {
    const blob = await storage.content.ingest([tar(entries)], { lease })
    const { diffId } = await snapshotter.unpack(blob.digest, { lease })
    return { kind: 'layers', chain: snapshotter.stack(undefined, diffId, lease) }
  }

  function step(script: string, wanted: Wanted = {}): ReturnType<World['step']> {
    const op: ExecOp = { ...OP, args: ['/bin/sh', '-c', script], mounts: [ROOT, ...(wanted.mounts ?? [])], ...wanted.op }
    const output = { stdout: '', stderr: '' }
    const session = { ...SESSION, ...wanted.session } as BuildSession
    return {
      inputs: [wanted.base ?? base, ...(wanted.inputs ?? [])],
      output,
      step: {
        vertex: vertex(op, [], { name: script }),
        session,
        sessionOf: () => session,
        signal: wanted.signal ?? new AbortController().signal,
        entitlements: new Set(wanted.entitlements),
        log: wanted.log ?? ((stream, data) => (output[stream === 1 ? 'stdout' : 'stderr'] += Buffer.from(data).toString())),
        status: () => undefined,
        lease,
      },
    }
  }

  function layerPath(ref: LayerRef | undefined): string {
    assert.ok(ref?.chain)
    return snapshotter.layerPaths(ref.chain)[0] ?? ''
  }

  const base = await layer(baseFiles())
  return {
    storage,
    daemon,
    deps,
    runner,
    base,
    directory,
    cgroupParent,
    warnings,
    layer,
    step,
    async run(script, wanted) {
      const made = step(script, wanted)
      const outputs = await runner.run(made.inputs, made.step)
      return { outputs, ...made.output }
    },
    filesOf: (ref) =>
      globSync('**', { cwd: layerPath(ref), exclude: [] })
        .filter((name) => name !== '.')
        .sort(),
    read(ref, path) {
      assert.ok(ref?.chain)
      using view = snapshotter.view({ chain: ref.chain })
      return readFileSync(join(view.path, path), 'utf8')
    },
    newRuntime,
    assertClean() {
      assert.deepEqual(namesIn(paths.steps), [], 'directories of steps')
      assert.deepEqual(namesIn(paths.stubs), [], 'stubs')
      assert.deepEqual(namesIn(join(storage.root, 'snapshots')), [], 'writable layers')
      assert.deepEqual(
        cgroupsOf(cgroupParent).filter((path) => /[0-9a-f]{64}$/.test(path)),
        [],
        'cgroups',
      )
      assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(directory), 'mounts')
      assert.deepEqual(
        daemon.networks.list().flatMap(({ id }) => daemon.networks.endpoints(id)),
        [],
        'endpoints',
      )
      assert.deepEqual(warnings, [])
    },
    async [Symbol.asyncDispose]() {
      lease[Symbol.dispose]()
      await cacheMounts.settled()
      await runtime.dismissLauncher()
      await runtime.close()
      await daemon.networks.close()
      daemon[Symbol.dispose]()
      await storage[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
      for (const path of cgroupsOf(cgroupParent)) rmdirSync(path)
    },
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

/** busybox with its applets, users, and the directories that every image has. */
function baseFiles(): TarEntry[] {
  const directories = ['bin/', 'etc/', 'tmp/', 'root/', 'run/', 'usr/', 'var/']
  return [
    ...directories.map((name): TarEntry => ({ name, type: 'directory', mode: 0o755 })),
    { name: 'var/run', type: 'symlink', link: '/run' },
    { name: 'bin/busybox', data: readFileSync('/bin/busybox'), mode: 0o755 },
    ...APPLETS.split(' ').map((name): TarEntry => ({ name: `bin/${name}`, type: 'symlink', link: 'busybox' })),
    { name: 'etc/passwd', data: Buffer.from('root:x:0:0:root:/root:/bin/sh\nbuild:x:1000:1000:build:/home/build:/bin/sh\n') },
    { name: 'etc/group', data: Buffer.from('root:x:0:\nbuild:x:1000:\nextra:x:2000:build\n') },
  ]
}

const OP: ExecOp = { ...PLAIN_EXEC, env: ['PATH=/bin'], network: 'none' }

const SESSION: Partial<BuildSession> = {
  id: 'session',
  sharedKey: '',
  secret: async () => undefined,
  checkAgent: async () => {
    throw notFound('no agent')
  },
}
