import type { ExecOp, Mount } from '#build'
import { invalidArgument } from '#errors'
import { ops } from '#grpc'
import type { Platform } from '#oci'

const { MountContentCache, MountType, NetMode, SecurityMode } = ops

const NETWORKS = { [NetMode.SANDBOXED]: 'default', [NetMode.HOST]: 'host', [NetMode.NONE]: 'none' } as const
const RIGHTS = { [SecurityMode.SANDBOX]: 'sandbox', [SecurityMode.INSECURE]: 'insecure' } as const
const SHARING = { [ops.CacheSharing.SHARED]: 'shared', [ops.CacheSharing.PRIVATE]: 'private', [ops.CacheSharing.LOCKED]: 'locked' } as const

/** Clients set limits of steps by the Dockerfile frontend, not in definitions. */
const NO_LIMITS = { memory: 0, memorySwap: 0, cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, cpusetCpus: '', cpusetMems: '', shmSize: 0 }

/** `inputs`: how many the vertex has. Throws INVALID_ARGUMENT, NOT_IMPLEMENTED. */
export function decodeExec(op: ops.ExecOp, inputs: number, platform: Platform): ExecOp {
  const { meta } = op
  if (meta === undefined || meta.args.length === 0) throw invalidArgument('invalid exec op with no args')
  if (op.mounts.every(({ dest }) => dest !== '/')) throw invalidArgument('invalid exec op with no root file system')
  const network = NETWORKS[op.network]
  if (network === undefined) throw invalidArgument(`unknown network mode ${op.network}`)
  const security = RIGHTS[op.security]
  if (security === undefined) throw invalidArgument(`invalid security mode: ${op.security}`)
  return {
    kind: 'exec',
    args: meta.args,
    env: meta.env,
    cwd: meta.cwd,
    user: meta.user,
    hostname: meta.hostname,
    network,
    security,
    mounts: op.mounts.map((mount) => decodeMount(mount, inputs)),
    secretEnv: op.secretEnv.map(({ id, name, optional }) => ({ id, name, optional })),
    proxyEnv: proxyEnv(meta.proxyEnv),
    extraHosts: meta.extraHosts.map(({ host, ip }) => ({ host, address: ip })),
    ulimits: meta.ulimit.map(({ name, soft, hard }) => ({ name, soft: Number(soft), hard: Number(hard) })),
    cgroupParent: meta.cgroupParent,
    limits: NO_LIMITS,
    platform,
    ...(op.cdiDevices.length > 0 && { devices: op.cdiDevices.map(({ name, optional }) => ({ name, optional })) }),
    ...(meta.validExitCodes.length > 0 && { validExitCodes: meta.validExitCodes }),
  }
}

function decodeMount(mount: ops.Mount, inputs: number): Mount {
  const { dest: target, selector, readonly } = mount
  const input = Number(mount.input)
  if (input < -1 || input >= inputs) throw invalidArgument(`invalid input index ${input} of mount ${target}`)
  switch (mount.mountType) {
    case MountType.BIND: {
      const output = Number(mount.output)
      return { type: 'bind', target, input, selector, readonly, output, contentKey: countsByContent(mount, output) }
    }
    case MountType.CACHE: {
      const sharing = SHARING[mount.cache?.sharing ?? ops.CacheSharing.SHARED]
      if (mount.cache === undefined || sharing === undefined) throw invalidArgument(`invalid cache mount ${target}`)
      return { type: 'cache', target, id: mount.cache.id, sharing, readonly, input, selector, mode: 0o755, uid: 0, gid: 0 }
    }
    case MountType.TMPFS:
      return { type: 'tmpfs', target, size: Number(mount.tmpfs?.size ?? 0n) }
    case MountType.SECRET: {
      if (mount.secret === undefined) throw invalidArgument(`invalid secret mount ${target}`)
      const { id, optional, mode, uid, gid } = mount.secret
      return { type: 'secret', target, id, optional, mode, uid, gid }
    }
    case MountType.SSH: {
      if (mount.ssh === undefined) throw invalidArgument(`invalid ssh mount ${target}`)
      const { id, optional, mode, uid, gid } = mount.ssh
      return { type: 'ssh', target, id, optional, mode, uid, gid }
    }
    default:
      throw invalidArgument(`mount type ${String(mount.mountType)} not implemented`)
  }
}

/** What is only read counts by what is read, unless the client says otherwise. Source: moby/buildkit solver/llbsolver/ops/exec.go, getMountDeps. */
function countsByContent({ dest, contentCache, readonly }: ops.Mount, output: number): boolean {
  if (dest === '/' || contentCache === MountContentCache.OFF) return false
  return contentCache === MountContentCache.ON || readonly || output === -1
}

/** Programs read either spelling. */
function proxyEnv(proxy: ops.ProxyEnv | undefined): string[] {
  if (proxy === undefined) return []
  const { httpProxy, httpsProxy, ftpProxy, noProxy, allProxy } = proxy
  const values = { http_proxy: httpProxy, https_proxy: httpsProxy, ftp_proxy: ftpProxy, no_proxy: noProxy, all_proxy: allProxy }
  return Object.entries(values).flatMap(([name, value]) => (value === '' ? [] : [`${name.toUpperCase()}=${value}`, `${name}=${value}`]))
}
