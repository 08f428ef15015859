import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import { applyEdits } from '#cdi'
import {
  discardTask,
  lookUpUser,
  programSpec,
  type ProgramRequest,
  type ResolvedUser,
  type UserDirectory,
  type UserFiles,
} from '#containers'
import { internal, invalidArgument } from '#errors'
import type { OverlayPlan } from '#kernel'
import { randomId } from '#lib'
import type { Task } from '#runtime'
import { deleteTree, type ChainId } from '#snapshots'
import type { Ref } from '../graph/ref.ts'
import type { BindMount, ExecOp } from '../graph/types.ts'
import type { Step } from '../types.ts'
import { deviceMountTargets, stepDevices } from './step-devices.ts'
import { failureText } from './failure-text.ts'
import { makeStubs, type MountTarget } from './mount-stubs.ts'
import { inputOf, prepareMounts, readSecret, targetOf, type MountContext, type StepOutput } from './step-mounts.ts'
import { attachStep, hostnameOf, networkModeOf, serveNames } from './step-network.ts'
import type { RunDeps } from './types.ts'

/** What is to be run, in what. */
export interface SandboxRequest {
  op: ExecOp
  inputs: readonly Ref[]
  /** Its session is looked up at each use: the client that began the step may leave while another one waits for it. */
  step: Pick<Step, 'session' | 'signal'>
  tty: boolean
  openStdin: boolean
}

/** A program that waits for its start, in everything that a step has. Disposing ends it and takes all of it away that is not committed. */
export interface Sandbox extends AsyncDisposable {
  readonly task: Task
  /** On the host, root's alone. */
  readonly directory: string
  /** What it is launched as; further programs in it differ in their process only. */
  readonly program: ProgramRequest
  readonly outputs: readonly StepOutput[]
  /** After the program has ended: resolves when its cgroups are gone. Disposing does this, too. */
  finish(): Promise<void>
}

/** Below the directory of one running program. */
export const TASK_DIRECTORY = 'task'

/** The same, of one whose devices have hooks. */
const BUNDLE_DIRECTORY = 'bundle'

/** Behind the step's id, beside its mount points. */
const NAMES = '.names'

/** mkdir's mode of what only root may look into. */
const PRIVATE = 0o700

/** Prepares everything up to the start of the program. When a part of it fails nothing is left. Throws as the client should read it. */
export async function openSandbox(deps: RunDeps, users: UserDirectory, request: SandboxRequest): Promise<Sandbox> {
  const { op, step, tty, openStdin } = request
  const mode = networkModeOf(deps, op)
  const id = randomId()
  const directory = join(deps.paths.steps, id)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, TASK_DIRECTORY), { recursive: true, mode: PRIVATE })
  mkdirSync(deps.paths.stubs, { recursive: true, mode: PRIVATE })
  const ctx: MountContext = { deps, id, directory, ...request }
  const secretEnv = await readSecretEnv(request)
  const devices = await stepDevices(deps, op)
  const mounts = await prepareMounts(ctx, undo)
  const root = await prepareRoot(ctx, [...mounts.targets, ...deviceMountTargets(devices)], undo)
  const network = await attachStep(deps, { id, op, mode, directory: join(deps.paths.stubs, `${id}${NAMES}`) }, undo)
  const user = findUser(users.ofContainer(id, root.chain), op)
  const program: ProgramRequest = {
    ...programOf(request, deps, mode),
    id,
    user,
    // What the image or the Dockerfile sets counts more than the client's proxies.
    env: ['HOSTNAME', ...op.proxyEnv, ...op.env, ...secretEnv],
    ...network.files,
    edit: (spec) => applyEdits({ ...spec, mounts: [...spec.mounts, ...mounts.mounts] }, devices),
  }
  const { spec, cgroup, warnings } = programSpec(program, { ...deps, defaults: deps.defaults() })
  for (const warning of warnings) deps.warn(warning, { step: id })
  step.signal.throwIfAborted()
  const parent = dirname(spec.linux.cgroupsPath ?? '/')
  undo.defer(() => deps.cgroupControl.release(parent))
  deps.cgroupControl.prepare(parent, cgroup)
  const task = await deps.runtime.create({
    id,
    stateDir: join(directory, TASK_DIRECTORY),
    spec,
    bundle: join(directory, BUNDLE_DIRECTORY),
    rootfs: { overlay: root.overlay },
    overlays: mounts.overlays,
    cgroup,
    network: network.plan,
    stdio: { tty, openStdin, stdinOnce: openStdin && !tty, log: { driver: 'none' } },
  })
  undo.defer(() => discardTask(task))
  mounts.secrets[Symbol.dispose]()
  await serveNames(deps, task, undo)
  const owned = undo.move()
  return {
    task,
    directory,
    program,
    outputs: [...root.outputs, ...mounts.outputs].toSorted((a, b) => a.output - b.output),
    finish: () => discardTask(task),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Throws INVALID_ARGUMENT for a user that the root file system does not know. */
function findUser(known: UserFiles, { user, args }: ExecOp): ResolvedUser {
  try {
    return lookUpUser(known, user)
  } catch (error) {
    throw invalidArgument(failureText(args, (error as Error).message), error)
  }
}

interface PreparedRoot {
  chain: ChainId | undefined
  overlay: OverlayPlan
  outputs: StepOutput[]
}

/** The root file system, with the mount points that it lacks between what it is and what the step writes. */
async function prepareRoot(ctx: MountContext, targets: readonly MountTarget[], undo: AsyncDisposableStack): Promise<PreparedRoot> {
  const { deps, id, op } = ctx
  const { snapshotter, files } = deps
  const mount = rootOf(op)
  const input = inputOf(ctx, mount.input)
  if (input?.kind === 'directory') throw internal('a root file system cannot be a directory of the client')
  const chain = input?.chain
  await snapshotter.prepareStep(id, chain, { bare: false })
  undo.defer(() => snapshotter.remove(id))
  const outputs = mount.output < 0 ? [] : [{ output: mount.output, key: id }]
  const overlay = snapshotter.overlay(id, { volatile: true })
  if (targets.length === 0) return { chain, overlay, outputs }
  const stubs = join(deps.paths.stubs, id)
  undo.defer(() => deleteTree(stubs))
  using before = snapshotter.view({ key: id })
  if (!makeStubs(files, before.fd, targets, stubs)) return { chain, overlay, outputs }
  return { chain, overlay: { ...overlay, lower: [relative(overlay.cwd, stubs), ...overlay.lower] }, outputs }
}

function rootOf(op: ExecOp): BindMount {
  const [mount, ...others] = op.mounts.filter((candidate) => targetOf(op, candidate) === '/')
  if (mount === undefined) throw invalidArgument('exec has no root file system')
  if (others.length > 0) throw invalidArgument('exec has more than one root file system')
  if (mount.type !== 'bind') throw invalidArgument(`invalid mount type ${mount.type} for /`)
  return mount
}

async function readSecretEnv({ op, step }: SandboxRequest): Promise<string[]> {
  const values = await Promise.all(
    op.secretEnv.map(async (wanted) => ({ name: wanted.name, data: await readSecret(step.session, wanted) })),
  )
  return values.flatMap(({ name, data }) => (data === undefined ? [] : [`${name}=${Buffer.from(data).toString()}`]))
}

/** Like a container of `docker run` without options, but for what the step says. */
function programOf(
  { op, tty }: SandboxRequest,
  { defaults }: RunDeps,
  networkMode: string,
): Omit<ProgramRequest, 'id' | 'user' | 'env' | FileName> {
  const { shmSize, memory, memorySwap, cpuShares, cpuPeriod, cpuQuota, cpusetCpus, cpusetMems } = op.limits
  return {
    args: op.args,
    workingDir: posix.resolve('/', op.cwd),
    hostname: hostnameOf(op),
    tty,
    hostConfig: {
      networkMode,
      ipcMode: 'private',
      privileged: op.security === 'insecure',
      readonlyRootfs: rootOf(op).readonly,
      ulimits: [...op.ulimits],
      // Below ours, whatever the client says.
      cgroupParent: posix.join('/', defaults().cgroupParent, posix.join('/', op.cgroupParent)),
      shmSize,
      memory,
      memorySwap,
      cpuShares,
      cpuPeriod,
      cpuQuota,
      cpusetCpus,
      cpusetMems,
    },
  }
}

type FileName = 'hostnamePath' | 'hostsPath' | 'resolvConfPath'
