import { statSync } from 'node:fs'
import { posix } from 'node:path'
import type { ContainerEdits } from '#cdi'
import type { ExecOp } from '../graph/types.ts'
import type { MountTarget } from './mount-stubs.ts'
import type { RunDeps } from './types.ts'

/** What the devices of a step, which the solver has given it by their qualified names, change in its container. */
export async function stepDevices({ devices }: Pick<RunDeps, 'devices'>, op: Pick<ExecOp, 'devices'>): Promise<ContainerEdits[]> {
  return op.devices === undefined ? [] : await devices.edits(op.devices.map(({ name }) => name))
}

/** Where devices have something mounted: the step's layer is not to get the mount points. */
export function deviceMountTargets(edits: readonly ContainerEdits[]): MountTarget[] {
  return edits.flatMap(({ mounts }) =>
    mounts.map(({ hostPath, containerPath, type }): MountTarget => {
      const path = posix.resolve('/', containerPath)
      if (type === 'tmpfs') return { path, kind: 'tmpfs' }
      // What is not there is for the launch to say.
      return { path, kind: statSync(hostPath, { throwIfNoEntry: false })?.isDirectory() === false ? 'file' : 'directory' }
    }),
  )
}
