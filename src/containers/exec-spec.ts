import { containerCapabilities } from '#kernel'
import type { ProcessSpec } from '#oci'
import type { ExecSpec } from '#runtime'
import type { Context } from './context.ts'
import type { ContainerEntry, Run } from './entry.ts'
import { alone, cgroupPlan, runtimeSpec } from './launch-spec.ts'
import { linkedVariables } from './network/links.ts'
import { mergeEnvironment, processEnvironment } from './spec/index.ts'
import type { Container, ExecRequest } from './types.ts'
import { lookUpUser, type ResolvedUser } from './user-lookup.ts'

/** What the execs of one run have in common when they run as the same user: a container's spec costs more than all the rest of an exec. */
export interface ExecBase {
  /** Valid as long as the record has these very objects; `docker update` puts others in their place. */
  readonly config: Container['config']
  readonly hostConfig: Container['hostConfig']
  readonly user: string
  /** The container's own process. */
  readonly process: ProcessSpec
  readonly confinement: Pick<ExecSpec, 'cgroup' | 'seccomp'>
}

/** Everything the runtime needs to start an exec in the running container `entry`. `pid`: the container's process. */
export function execSpec(
  ctx: Context,
  entry: ContainerEntry,
  exec: { id: string; request: ExecRequest },
  at: { stateDir: string; pid: number; consoleSize: [number, number] | undefined },
): ExecSpec {
  const { request } = exec
  const { config, hostConfig } = entry.record
  const wanted = request.user === '' ? config.user : request.user
  const user = lookUpUser(ctx.users.ofProcess(at.pid), wanted, hostConfig.groupAdd)
  const { process, confinement } = execBase(ctx, entry.record, entry.run, user)
  return {
    id: exec.id,
    stateDir: at.stateDir,
    targetPid: at.pid,
    process: execProcess(ctx, entry.record, request, process, at.consoleSize ?? request.consoleSize, user.home),
    ...confinement,
    stdio: { tty: request.tty, openStdin: request.attachStdin, stdinOnce: request.attachStdin && !request.tty },
  }
}

/** The base that `run` keeps, made anew when it is of another user or an older configuration. */
function execBase(ctx: Context, container: Container, run: Run | undefined, user: ResolvedUser): ExecBase {
  const { config, hostConfig } = container
  const known = run?.execBase
  const key = [user.uid, user.gid, ...user.additionalGids].join()
  if (known?.config === config && known.hostConfig === hostConfig && known.user === key) return known
  const { spec } = runtimeSpec(ctx, alone(container), user)
  const { version, join, into } = cgroupPlan(ctx, container.id, spec)
  const { seccomp } = spec.linux
  const cgroup = { version, join, ...(into !== undefined && { into }) }
  const base = { config, hostConfig, user: key, process: spec.process, confinement: { cgroup, ...(seccomp !== undefined && { seccomp }) } }
  if (run !== undefined) run.execBase = base
  return base
}

/** The container's process with the exec's own program, environment, directory and, where privileged, capabilities. */
function execProcess(
  ctx: Context,
  container: Container,
  request: ExecRequest,
  base: ProcessSpec,
  consoleSize: [number, number] | undefined,
  home: string,
): ProcessSpec {
  const [height, width] = consoleSize ?? [0, 0]
  const { config } = container
  const links = linkedVariables(ctx, container)
  const env = mergeEnvironment(links.length === 0 ? config.env : mergeEnvironment(links, config.env), request.env)
  const all = request.privileged ? containerCapabilities({ add: [], drop: [], privileged: true }, ctx.deps.host.capabilities) : undefined
  const { consoleSize: _containers, ...rest } = base
  return {
    ...rest,
    terminal: request.tty,
    ...(request.tty && height > 0 && width > 0 && { consoleSize: { height, width } }),
    args: request.cmd,
    env: processEnvironment({ env, hostname: config.hostname, tty: request.tty, home }),
    cwd: request.workingDir || config.workingDir || '/',
    ...(all !== undefined && { capabilities: { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] } }),
  }
}
