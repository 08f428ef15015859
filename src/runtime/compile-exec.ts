import { addCgroupJoin, CLONE } from './compile.ts'
import { addIdentity, addLimits, addProgram, addStdio } from './compile-process.ts'
import { PlanWriter, type Plan } from './plan-writer.ts'
import type { CompileSeccomp, ExecSpec } from './types.ts'

/** Everything of the target but its user namespace, which is the host's as long as user namespaces are not implemented. */
const JOINED = CLONE.mount | CLONE.uts | CLONE.ipc | CLONE.network | CLONE.cgroup

/** Compiles a further process of a running container. Pure. Throws as `compileLaunch` does. */
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
  addProgram(plan, process, { init: false })
  return plan.finish()
}
