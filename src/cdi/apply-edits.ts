/** What devices change in a specification of the runtime. Source: CDI specification, "OCI Edits"; order and texts of the reference library. */

import { lstatSync, type BigIntStats } from 'node:fs'
import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import { deviceOf } from '#lib'
import type { DeviceSpec, HookSpec, MountSpec, ResourcesSpec, RuntimeSpec } from '#oci'
import type { CdiMount, ContainerEdits, DeviceNode } from './types.ts'

/** Looks at a node of the host; links are not followed, as what they lead to is not what the specification names. */
export type LookAt = (path: string) => Pick<BigIntStats, 'mode' | 'rdev'>

type DeviceRule = NonNullable<ResourcesSpec['devices']>[number]

/** By the S_IFMT bits of stat(2). */
const NODE_TYPES: ReadonlyMap<bigint, DeviceSpec['type']> = new Map([
  [0o060000n, 'b'],
  [0o020000n, 'c'],
  [0o010000n, 'p'],
])
const S_IFMT = 0o170000n

const lookAtHost: LookAt = (path) => lstatSync(path, { bigint: true })

/** A new specification; `spec` is left alone. Throws INVALID_ARGUMENT `failed to inject devices: …` for a node that the host lacks. */
export function applyEdits(spec: RuntimeSpec, edits: readonly ContainerEdits[], lookAt: LookAt = lookAtHost): RuntimeSpec {
  try {
    return edits.reduce((so, next) => applyOne(so, next, lookAt), spec)
  } catch (error) {
    throw invalidArgument(`failed to inject devices: ${(error as Error).message}`, error)
  }
}

function applyOne(spec: RuntimeSpec, edits: ContainerEdits, lookAt: LookAt): RuntimeSpec {
  const { process, linux } = spec
  const nodes = edits.deviceNodes.map((node) => ({ device: deviceSpec(node, process.user, lookAt), access: accessOf(node) }))
  const made = new Set(nodes.map(({ device }) => device.path))
  const rules = nodes.flatMap(({ device, access }) => ruleOf(device, access))
  const mounted = new Set(edits.mounts.map(({ containerPath }) => containerPath))
  const groups = [...(process.user.additionalGids ?? []), ...edits.additionalGids.filter((gid) => gid !== 0)]
  return {
    ...spec,
    process: { ...process, env: withVariables(process.env, edits.env), user: { ...process.user, additionalGids: [...new Set(groups)] } },
    mounts: inOrder([...spec.mounts.filter(({ destination }) => !mounted.has(destination)), ...edits.mounts.map(mountSpec)]),
    ...(edits.hooks.length > 0 && { hooks: withHooks(spec.hooks, edits) }),
    linux: {
      ...linux,
      devices: [...(linux.devices ?? []).filter(({ path }) => !made.has(path)), ...nodes.map(({ device }) => device)],
      resources: { ...linux.resources, devices: [...(linux.resources?.devices ?? []), ...rules] },
    },
  }
}

/** A variable that is there already gets its new value at its old place. */
function withVariables(env: readonly string[], added: readonly string[]): string[] {
  const variables = new Map([...env, ...added].map((entry) => [entry.slice(0, Math.max(0, entry.indexOf('='))) || entry, entry]))
  return [...variables.values()]
}

function deviceSpec(node: DeviceNode, user: RuntimeSpec['process']['user'], lookAt: LookAt): DeviceSpec {
  const { path, fileMode, uid = user.uid, gid = user.gid } = node
  return { ...numbersOf(node, lookAt), path, ...(fileMode !== undefined && { fileMode }), uid, gid }
}

function numbersOf(node: DeviceNode, lookAt: LookAt): Pick<DeviceSpec, 'type' | 'major' | 'minor'> {
  const { path, type, major, minor } = node
  if (type !== '' && (major !== 0 || type === 'p')) return { type, major, minor }
  const hostPath = node.hostPath === '' ? path : node.hostPath
  const found = hostNode(hostPath, lookAt)
  if (type !== '' && type !== found.type) {
    throw invalidArgument(`CDI device (${JSON.stringify(path)}, ${JSON.stringify(hostPath)}), host type mismatch (${type}, ${found.type})`)
  }
  return major === 0 && found.type !== 'p' ? found : { type: found.type, major, minor }
}

function hostNode(path: string, lookAt: LookAt): Pick<DeviceSpec, 'type' | 'major' | 'minor'> {
  const fail = (why: string, cause?: unknown): never => {
    throw invalidArgument(`failed to stat CDI host device ${JSON.stringify(path)}: ${why}`, cause)
  }
  let found: ReturnType<LookAt>
  try {
    found = lookAt(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return fail(code === 'ENOENT' ? 'no such file or directory' : (error as Error).message, error)
  }
  const type = NODE_TYPES.get(found.mode & S_IFMT)
  return type === undefined ? fail('not a device node') : { type, ...deviceOf(found) }
}

/** `none`: the node is made and the cgroup does not let it be used. */
function accessOf({ permissions }: DeviceNode): string {
  return permissions === '' ? 'rwm' : permissions === 'none' ? '' : permissions
}

function ruleOf({ type, major, minor }: DeviceSpec, access: string): DeviceRule[] {
  return (type === 'b' || type === 'c') && access !== '' ? [{ allow: true, type, major, minor, access }] : []
}

/** A mount without a type binds, as runtimes take it that know options only. */
function mountSpec({ hostPath, containerPath, options, type }: CdiMount): MountSpec {
  const binds = options.some((option) => option === 'bind' || option === 'rbind')
  const bound = !binds && (type === '' || type === 'bind') ? ['rbind', ...options] : [...options]
  return { destination: containerPath, source: hostPath, type: type === '' ? 'bind' : type, options: bound }
}

/** Parents before what is mounted in them, else as they came. */
function inOrder(mounts: MountSpec[]): MountSpec[] {
  return mounts.toSorted((a, b) => depth(a) - depth(b))
}

function depth({ destination }: MountSpec): number {
  return posix.normalize(destination).split('/').length
}

function withHooks(before: RuntimeSpec['hooks'] = {}, { hooks }: ContainerEdits): NonNullable<RuntimeSpec['hooks']> {
  const all: NonNullable<RuntimeSpec['hooks']> = { ...before }
  for (const { hookName, path, args, env, timeout } of hooks) {
    const hook: HookSpec = { path, args: [...args], env: [...env], ...(timeout !== undefined && { timeout }) }
    all[hookName] = [...(all[hookName] ?? []), hook]
  }
  return all
}
