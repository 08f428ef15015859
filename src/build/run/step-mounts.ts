import { mkdirSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { internal, notFound } from '#errors'
import type { OverlayPlan } from '#kernel'
import type { MountSpec } from '#oci'
import type { LaunchSpec } from '#runtime'
import type { LayerRef, Ref } from '../graph/ref.ts'
import type { BindMount, CacheMount, ExecOp, Mount, SecretMount, SshMount, TmpfsMount } from '../graph/types.ts'
import type { BuildSession } from '../session.ts'
import type { Step } from '../types.ts'
import { openAgentSocket } from './agent-socket.ts'
import { kindIn } from './kind-in.ts'
import type { MountTarget } from './mount-stubs.ts'
import { requireAgent } from './require-agent.ts'
import { SecretFiles } from './secret-files.ts'
import type { RunDeps } from './types.ts'

/** Below the directory of one running program. */
export const SECRETS_DIRECTORY = 'secrets'

/** What the mounts of a step are prepared with. */
export interface MountContext {
  deps: RunDeps
  /** Of the step; keys of its writable layers begin with it. */
  id: string
  /** The step's own on the host, root's alone. */
  directory: string
  op: ExecOp
  inputs: readonly Ref[]
  step: Pick<Step, 'session' | 'signal'>
}

/** One result of a step: a writable layer to be committed, or what came in. */
export type StepOutput = { output: number } & ({ key: string } | { ref: LayerRef })

/** All mounts but the root, ready for a launch. */
export interface PreparedMounts {
  mounts: MountSpec[]
  overlays: NonNullable<LaunchSpec['overlays']>
  targets: MountTarget[]
  outputs: StepOutput[]
  /** To be taken from the host as soon as the launch has mounted them. */
  secrets: SecretFiles
}

interface Prepared {
  spec: MountSpec
  kind: MountTarget['kind']
}

/** In order of their targets, so that parents come first, as BuildKit. `undo` gives all back. Throws as the client should read it. */
export async function prepareMounts(ctx: MountContext, undo: AsyncDisposableStack): Promise<PreparedMounts> {
  const { op, deps, directory } = ctx
  const secrets = undo.use(new SecretFiles(join(directory, SECRETS_DIRECTORY), deps.mounts))
  const result: PreparedMounts = { mounts: [], overlays: [], targets: [], outputs: [], secrets }
  const caches = await acquireCaches(ctx, undo)
  const own = op.mounts.filter((mount) => targetOf(op, mount) !== '/').toSorted((a, b) => (targetOf(op, a) < targetOf(op, b) ? -1 : 1))
  for (const [index, mount] of own.entries()) {
    const prepared = await prepareMount(ctx, mount, { index, result, undo, caches })
    if (prepared === undefined) continue
    result.mounts.push(prepared.spec)
    result.targets.push({ path: prepared.spec.destination, kind: prepared.kind })
  }
  return result
}

/** Absolute and without `..`; relative ones are below the working directory. */
export function targetOf({ cwd }: Pick<ExecOp, 'cwd'>, { target }: Mount): string {
  return posix.resolve('/', cwd, target)
}

interface Surroundings {
  index: number
  result: PreparedMounts
  undo: AsyncDisposableStack
  caches: ReadonlyMap<Mount, string>
}

/** undefined: there is nothing to mount, and that is all right. */
async function prepareMount(ctx: MountContext, mount: Mount, around: Surroundings): Promise<Prepared | undefined> {
  const destination = targetOf(ctx.op, mount)
  switch (mount.type) {
    case 'bind':
      return prepareBind(ctx, mount, destination, around)
    case 'cache': {
      const options = ['bind', ...(mount.readonly ? ['ro'] : []), 'rprivate']
      return { kind: 'directory', spec: { destination, type: 'bind', source: around.caches.get(mount) ?? '', options } }
    }
    case 'tmpfs':
      return { kind: 'tmpfs', spec: tmpfs(destination, mount) }
    case 'secret':
      return prepareSecret(ctx, mount, destination, around.result.secrets)
    default:
      return prepareAgent(ctx, mount, destination, around)
  }
}

function tmpfs(destination: string, { size }: TmpfsMount): MountSpec {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', ...(size > 0 ? [`size=${size}`] : [])] }
}

/**
 * Caches in the order of their ids, whatever their targets: two steps that lock the same two never wait for each other. All are had before anything else is
 * made, as this may take long.
 */
async function acquireCaches(ctx: MountContext, undo: AsyncDisposableStack): Promise<Map<Mount, string>> {
  const { op, deps, id, step } = ctx
  const mounts = op.mounts.filter((mount): mount is CacheMount => mount.type === 'cache').toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const paths = new Map<Mount, string>()
  for (const mount of mounts) {
    const request = { mount, base: inputOf(ctx, mount.input), user: id, step: op.args.join(' '), signal: step.signal }
    paths.set(mount, undo.use(await deps.cacheMounts.acquire(request)).path)
  }
  return paths
}

async function prepareSecret(
  ctx: MountContext,
  mount: SecretMount,
  destination: string,
  secrets: SecretFiles,
): Promise<Prepared | undefined> {
  const data = await readSecret(ctx.step.session, mount)
  if (data === undefined) return undefined
  const options = ['bind', 'ro', 'nosuid', 'nodev', 'noexec', 'rprivate']
  return { kind: 'file', spec: { destination, type: 'bind', source: secrets.add(data, mount), options } }
}

/** Throws NOT_FOUND with BuildKit's text; undefined for one that may be missing. */
export async function readSecret(
  session: BuildSession,
  { id, optional }: { id: string; optional: boolean },
): Promise<Uint8Array | undefined> {
  const data = await session.secret(id)
  if (data === undefined && !optional) throw notFound(`secret ${id}: not found`)
  return data
}

async function prepareAgent(
  ctx: MountContext,
  mount: SshMount,
  destination: string,
  { index, undo }: Surroundings,
): Promise<Prepared | undefined> {
  const { step, directory } = ctx
  try {
    await requireAgent(step.session, mount.id)
  } catch (error) {
    if (mount.optional) return undefined
    throw error
  }
  const source = join(directory, `agent-${index}.sock`)
  undo.use(await openAgentSocket(source, mount, () => step.session.forwardAgent(mount.id)))
  return { kind: 'file', spec: { destination, type: 'bind', source, options: ['bind', 'rprivate'] } }
}

/** The file system that a mount begins with; undefined: an empty one. */
export function inputOf({ inputs }: Pick<MountContext, 'inputs'>, index: number): Ref | undefined {
  if (index < 0) return undefined
  const found = inputs[index]
  if (found === undefined) throw internal(`missing input ${index}`)
  return found
}

async function prepareBind(ctx: MountContext, mount: BindMount, destination: string, around: Surroundings): Promise<Prepared> {
  const { deps } = ctx
  const { result } = around
  const input = inputOf(ctx, mount.input)
  // Nothing is a fine thing to be read, but there has to be something to mount.
  const isWritable = !mount.readonly || input === undefined
  const selector = posix.resolve('/', mount.selector)
  const kind = selector === '/' || input === undefined ? 'directory' : (kindIn(deps, input, selector) ?? 'directory')
  if (mount.output >= 0 && !isWritable) {
    if (input.kind === 'directory') throw internal(`mount ${mount.target}: a directory cannot be an output`)
    result.outputs.push({ output: mount.output, ref: input })
  }
  const source = isWritable ? await writableSource(ctx, mount, input, around) : readOnlySource(ctx, input, around)
  const subpath = selector === '/' ? {} : { subpath: selector.slice(1) }
  return { kind, spec: { destination, type: 'bind', source, options: ['bind', ...(mount.readonly ? ['ro'] : []), 'rprivate'], ...subpath } }
}

function readOnlySource(ctx: MountContext, input: Ref, { index, result }: Surroundings): string {
  if (input.kind === 'directory') return input.path
  const place = makePlace(ctx, index)
  if (input.chain !== undefined)
    result.overlays = [...result.overlays, { target: place, overlay: ctx.deps.snapshotter.imageOverlay(input.chain) }]
  return place
}

/** A layer over the input, which is committed in the end or dropped. */
async function writableSource(
  ctx: MountContext,
  mount: BindMount,
  input: Ref | undefined,
  { index, result, undo }: Surroundings,
): Promise<string> {
  const { snapshotter } = ctx.deps
  const key = `${ctx.id}-${index}`
  if (mount.output >= 0 && input?.kind === 'directory') throw internal(`mount ${mount.target}: a directory cannot be an output`)
  await snapshotter.prepareStep(key, input?.kind === 'layers' ? input.chain : undefined, { bare: true })
  undo.defer(() => snapshotter.remove(key))
  if (mount.output >= 0) result.outputs.push({ output: mount.output, key })
  const plan = snapshotter.overlay(key, { volatile: true })
  const overlay: OverlayPlan = input?.kind === 'directory' ? { ...plan, lower: [input.path] } : plan
  // Over nothing there is nothing to merge with, and overlayfs wants something.
  if (overlay.lower.length === 0) return resolve(plan.cwd, plan.upper)
  const place = makePlace(ctx, index)
  result.overlays = [...result.overlays, { target: place, overlay }]
  return place
}

/** Where a file system is mounted in the step's mount namespace; on the host it stays empty. */
function makePlace({ directory }: MountContext, index: number): string {
  const place = join(directory, `mount-${index}`)
  mkdirSync(place, { mode: 0o700 })
  return place
}
