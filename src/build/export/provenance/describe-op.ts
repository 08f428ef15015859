import type { Platform } from '#oci'
import type { ExecOp, FileAction, FileOp, Mount, Op, Owner } from '../../graph/types.ts'
import { describeSource } from './describe-source.ts'

const NETWORKS = { default: 0, host: 1, none: 2 } as const
const MOUNT_TYPES = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const
const SHARING = { shared: 0, private: 1, locked: 2 } as const

/**
 * An operation as Go writes BuildKit's (moby/buildkit solver/pb/json.go and ops.proto): programs that read provenance decode it into those structs, and fail on a member of
 * another type. `inputs`: how many the vertex has. What only this engine has are members that they pass over. Left out: proxies, whose addresses may hold passwords.
 */
export function describeOp(op: Op, inputs: number): object {
  switch (op.kind) {
    case 'exec':
      return { Op: { exec: describeExec(op) }, platform: describePlatform(op.platform) }
    case 'file':
      return { Op: { file: describeFile(op) } }
    case 'merge':
      return { Op: { merge: { inputs: Array.from({ length: inputs }, (_, input) => ({ input })) } } }
    case 'diff':
      return { Op: { diff: { lower: { input: op.lower }, upper: { input: op.upper } } } }
    default:
      return { Op: { source: describeSource(op) }, ...('platform' in op && { platform: describePlatform(op.platform) }) }
  }
}

function describePlatform({ architecture, os, variant }: Platform): object {
  return omitEmpty({ Architecture: architecture, OS: os, Variant: variant })
}

function describeExec(op: ExecOp): object {
  const { args, env, cwd, user, hostname, cgroupParent, network, security, limits } = op
  const named = typeof network === 'object' ? network.name : undefined
  return omitEmpty({
    meta: omitEmpty({
      args,
      env,
      cwd,
      user,
      extraHosts: op.extraHosts.map(({ host, address }) => ({ Host: host, IP: address })),
      hostname,
      ulimit: op.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
      cgroupParent,
      validExitCodes: op.validExitCodes,
    }),
    mounts: op.mounts.map(describeMount),
    network: typeof network === 'object' ? NETWORKS.default : NETWORKS[network],
    security: security === 'insecure' ? 1 : 0,
    secretenv: op.secretEnv.map(({ id, name, optional }) => omitEmpty({ ID: id, name, optional })),
    networkName: named,
    limits: omitEmpty({ ...limits }),
  })
}

function describeMount(mount: Mount): object {
  const common = { dest: mount.target, mountType: MOUNT_TYPES[mount.type] }
  switch (mount.type) {
    case 'bind': {
      const { input, selector, output, readonly } = mount
      return omitEmpty({ ...common, input, selector, output, readonly })
    }
    case 'cache': {
      const { input, selector, readonly, id, sharing } = mount
      return omitEmpty({ ...common, input, selector, output: -1, readonly, cacheOpt: omitEmpty({ ID: id, sharing: SHARING[sharing] }) })
    }
    case 'tmpfs':
      return omitEmpty({ ...common, input: -1, output: -1, TmpfsOpt: omitEmpty({ size: mount.size }) })
    case 'secret':
    case 'ssh': {
      const { id, uid, gid, mode, optional } = mount
      const file = omitEmpty({ ID: id, uid, gid, mode, optional })
      return omitEmpty({ ...common, input: -1, output: -1, [mount.type === 'secret' ? 'secretOpt' : 'SSHOpt']: file })
    }
  }
}

function describeFile({ actions }: FileOp): object {
  return {
    actions: actions.map((action) => ({
      input: action.input,
      secondaryInput: action.action === 'copy' ? action.from : -1,
      output: action.output,
      Action: { [action.action]: describeAction(action) },
    })),
  }
}

function describeAction(action: FileAction): object {
  switch (action.action) {
    case 'copy':
      return omitEmpty({
        src: action.source,
        dest: action.target,
        owner: describeOwner(action.owner),
        // -1: as in the source.
        mode: typeof action.mode === 'number' ? action.mode : -1,
        modeStr: typeof action.mode === 'string' ? action.mode : undefined,
        followSymlink: action.followSymlink,
        dirCopyContents: action.directoryContentsOnly,
        attemptUnpackDockerCompatibility: action.unpack,
        createDestPath: action.createTargetParents,
        allowWildcard: action.allowWildcard,
        allowEmptyWildcard: action.allowEmptyWildcard,
        timestamp: nanoseconds(action.timestamp),
        include_patterns: action.includePatterns,
        exclude_patterns: action.excludePatterns,
        alwaysReplaceExistingDestPaths: action.alwaysReplaceExisting,
        required_paths: action.requiredPaths,
      })
    case 'mkfile': {
      const { path, mode, data } = action
      return omitEmpty({ path, mode, data: Buffer.from(data).toString('base64'), ...made(action) })
    }
    case 'mkdir': {
      const { path, mode, makeParents } = action
      return omitEmpty({ path, mode, makeParents, ...made(action) })
    }
    case 'rm': {
      const { path, allowNotFound, allowWildcard } = action
      return omitEmpty({ path, allowNotFound, allowWildcard })
    }
    case 'symlink':
      return omitEmpty({ oldpath: action.target, newpath: action.path, ...made(action) })
  }
}

function made({ owner, timestamp }: { owner?: Owner; timestamp?: number }): object {
  return { owner: describeOwner(owner), timestamp: nanoseconds(timestamp) }
}

function nanoseconds(milliseconds = -1): number {
  return milliseconds === -1 ? -1 : milliseconds * 1e6
}

function describeOwner(owner: Owner | undefined): object | undefined {
  return owner && omitEmpty({ user: describeName(owner.user), group: describeName(owner.group) })
}

function describeName(name: number | string | undefined): object | undefined {
  if (name === undefined) return undefined
  return { User: typeof name === 'number' ? omitEmpty({ byId: name }) : { byName: { name } } }
}

/** As `omitempty` of Go's JSON. */
function omitEmpty(members: Readonly<Record<string, unknown>>): object {
  const isEmpty = (value: unknown): boolean =>
    value === undefined ||
    value === '' ||
    value === 0 ||
    value === false ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)))
}
