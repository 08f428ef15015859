import { addCgroupJoin, CLONE } from './compile.ts'
import { addIdentity, addLateFilter, addLimits, addProgram, addStdio } from './compile-process.ts'
import { PlanWriter, type Plan } from './plan-writer.ts'
import type { CompileSeccomp, ExecSpec } from './types.ts'

/** Everything of the target but its user namespace, which is the host's as long as user namespaces are not implemented. */
const JOINED = CLONE.mount | CLONE.pid | CLONE.uts | CLONE.ipc | CLONE.network | CLONE.cgroup

/**
 * Compiles a further process of a running container. Pure. Throws as `compileLaunch` does.
 *
 * Until `fork` the process cannot be seen in the container; from there on it has nothing that the container has not (docs/adr/0003). A filter that
 * comes late (no_new_privs) comes after the fork, so that a narrow profile need not allow what that takes; not where the container may trace,
 * to which a process without its filter, however short-lived, would be a way around it.
 */
export function compileExec(exec: ExecSpec, compileSeccomp: CompileSeccomp): Plan {
  const { cgroup, process, stdio, targetPid } = exec
  const plan = new PlanWriter()
  plan.add('state', exec.stateDir, { directory: exec.stateDir, title: `exec ${exec.id.slice(0, 12)}` })
  addStdio(plan, stdio)
  plan.add('target', `process ${targetPid}`, { pid: targetPid })
  if (cgroup.into !== undefined) plan.add('into-cgroup', cgroup.into, { path: cgroup.into })

  addCgroupJoin(plan, cgroup.join)
  addLimits(plan, exec.id, process)
  plan.add('join-target', `process ${targetPid}`, { flags: JOINED })
  if (stdio.tty) {
    const { height, width } = process.consoleSize ?? { height: 0, width: 0 }
    plan.add('terminal', '/dev/pts/ptmx', { height, width, console: 0 })
  }
  plan.add('wait-start', exec.id, {})
  addIdentity(plan, process, exec.seccomp, compileSeccomp)
  const mayTrace = process.capabilities?.bounding.includes('CAP_SYS_PTRACE') === true
  if (!mayTrace) plan.add('fork', exec.id, {})
  addLateFilter(plan, process, exec.seccomp, compileSeccomp)
  if (mayTrace) plan.add('fork', exec.id, {})
  addProgram(plan, process, { init: false })
  return plan.finish()
}
