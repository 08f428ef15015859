import { formatPlatform } from '#oci'
import type { Edge, ExecOp, FileAction, Mount, Op, Vertex } from '../../graph/types.ts'

/**
 * A graph for reading: one line for each vertex, what it needs above it, with a number that others name it by. Members with their usual value are left out.
 *
 * ```
 * 1 image docker.io/library/alpine:3 linux/amd64 "[1/2] FROM docker.io/library/alpine:3"
 * 2 exec /bin/sh -c make; root=1 "[2/2] RUN make"
 * ```
 */
export function graphText(edge: Edge | undefined): string {
  if (edge === undefined) return 'empty'
  const lines: string[] = []
  const numbers = new Map<Vertex, number>()
  const visit = (vertex: Vertex): void => {
    if (numbers.has(vertex)) return
    for (const input of vertex.inputs) visit(input.vertex)
    numbers.set(vertex, numbers.size + 1)
    const names = vertex.inputs.map((input) => String(numbers.get(input.vertex)))
    const { name, ignoreCache = false, progressGroup } = vertex.meta
    const notes = `${ignoreCache ? ' no-cache' : ''}${progressGroup === undefined ? '' : ` group${progressGroup.weak ? ' weak' : ''}`}`
    lines.push(`${numbers.get(vertex)} ${opText(vertex.op, names)}${notes} ${JSON.stringify(shorten(name))}`)
  }
  visit(edge.vertex)
  return lines.join('\n')
}

export function shorten(text: string): string {
  return text.replaceAll(/@sha256:([0-9a-f]{4})[0-9a-f]+/g, '@$1')
}

function opText(op: Op, names: readonly string[]): string {
  switch (op.kind) {
    case 'image':
      return `image ${shorten(op.reference)} ${formatPlatform(op.platform)}${op.resolveMode === 'pull' ? ' pull' : ''}`
    case 'local':
      return words([
        'local',
        op.name,
        op.session,
        list('follow', op.followPaths),
        list('exclude', op.excludePatterns),
        `key=${op.sharedKeyHint}`,
      ])
    case 'git':
      return words([
        'git',
        op.remote,
        op.ref,
        op.checksum,
        part('sub', op.subdirectory),
        op.keepGitDirectory && 'keep',
        op.skipSubmodules && 'flat',
        op.ssh,
      ])
    case 'http':
      return words(['http', op.url, part('as', op.filename), op.checksum])
    case 'layout':
      return words(['layout', op.store, op.reference])
    case 'exec':
      return execText(op, names)
    case 'file':
      return `file ${op.actions.map((action) => actionText(action, names)).join(', ')}`
    case 'merge':
      return `merge ${names.join(' ')}`
    case 'diff':
      return `diff ${names.join(' ')}`
  }
}

function execText(op: ExecOp, names: readonly string[]): string {
  const network = typeof op.network === 'string' ? op.network : `net:${op.network.name}`
  const [root, ...mounts] = op.mounts
  return words([
    `exec ${op.args.join(' ')};`,
    `root=${root?.type === 'bind' ? (names[root.input] ?? 'empty') : '?'}`,
    ...mounts.map((mount) => mountText(mount, names)),
    op.env.length > 0 && `env=${op.env.join(',')}`,
    op.cwd !== '/' && `cwd=${op.cwd}`,
    part('user', op.user),
    network !== 'default' && `network=${network}`,
    op.security !== 'sandbox' && op.security,
    ...op.secretEnv.map(({ id, name, optional }) => `secret-env:${name}=${id}${optional ? '?' : ''}`),
    list('proxy', op.proxyEnv),
    list(
      'hosts',
      op.extraHosts.map(({ host, address }) => `${host}=${address}`),
    ),
    part('host', op.hostname),
    part('cgroup', op.cgroupParent),
    list(
      'ulimit',
      op.ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`),
    ),
    list(
      'limits',
      Object.entries(op.limits).flatMap(([name, value]) => (value === 0 || value === '' ? [] : [`${name}=${value}`])),
    ),
  ])
}

function mountText(mount: Mount, names: readonly string[]): string {
  const head = `${mount.type}:${mount.target}`
  switch (mount.type) {
    case 'bind':
      return `${head}=${names[mount.input] ?? 'empty'}${mount.selector}${mount.readonly ? '' : ',rw'}`
    case 'cache':
      return `${head}=${mount.id},${mount.sharing},${mount.mode.toString(8)},${mount.uid}:${mount.gid}${mount.input < 0 ? '' : `,from=${names[mount.input]}${mount.selector}`}`
    case 'tmpfs':
      return `${head}=${mount.size}`
    case 'secret':
    case 'ssh':
      return `${head}=${mount.id}${mount.optional ? '?' : ''},${mount.mode.toString(8)},${mount.uid}:${mount.gid}`
  }
}

function actionText(action: FileAction, names: readonly string[]): string {
  const input = inputText(action.input, names)
  const flags = [ownerText(action), 'timestamp' in action && action.timestamp !== undefined && `at=${action.timestamp}`]
  switch (action.action) {
    case 'copy':
      return words([
        `copy ${inputText(action.from, names)}:${action.source} → ${input}:${action.target}`,
        ...flags,
        action.mode !== undefined && `mode=${typeof action.mode === 'number' ? action.mode.toString(8) : action.mode}`,
        action.unpack && 'unpack',
        action.allowWildcard || 'exact',
        list('include', action.includePatterns),
        list('without', action.excludePatterns),
        list('required', action.requiredPaths),
      ])
    case 'mkfile':
      return words([
        `mkfile ${input}:${action.path} ${JSON.stringify(Buffer.from(action.data).toString())} ${action.mode.toString(8)}`,
        ...flags,
      ])
    case 'mkdir':
      return words([`mkdir ${input}:${action.path} ${action.mode.toString(8)}`, ...flags])
    case 'rm':
      return `rm ${input}:${action.path}`
    case 'symlink':
      return `symlink ${input}:${action.path} → ${action.target}`
  }
}

function ownerText(action: FileAction): string | undefined {
  const owner = 'owner' in action ? action.owner : undefined
  return owner && `owner=${owner.user}${owner.group === undefined ? '' : `:${owner.group}`}`
}

/** `^`: what the action before it has left. */
function inputText(input: number, names: readonly string[]): string {
  if (input < 0) return 'empty'
  return names[input] ?? '^'
}

function part(name: string, value: string): string | false {
  return value !== '' && `${name}=${value}`
}

function list(name: string, values: readonly string[]): string | false {
  return values.length > 0 && `${name}=[${values.join(' ')}]`
}

function words(parts: readonly (string | false | true | undefined)[]): string {
  return parts.filter((text) => typeof text === 'string' && text !== '').join(' ')
}
