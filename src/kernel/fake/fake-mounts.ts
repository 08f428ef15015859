import type { OverlayPlan } from '../plans.ts'
import type { Mounts } from '../types.ts'

/** One recorded call; `disposed` overlays are recorded as `unmount` of their path. */
export type MountCall =
  | { call: 'mount'; source: string; target: string; type: string; flags: number; data: string }
  | { call: 'unmount'; target: string; detach: boolean }
  | { call: 'overlay'; plan: OverlayPlan; path: string }

/** {@link Mounts} that changes nothing and records everything. `overlayPath` is the directory an overlay pretends to be at. */
export function createFakeMounts(overlayPath: (plan: OverlayPlan) => string = () => '/dev/null'): Mounts & { calls: MountCall[] } {
  const calls: MountCall[] = []
  return {
    calls,
    mount(source, target, type, flags, data) {
      calls.push({ call: 'mount', source, target, type, flags, data })
    },
    unmount(target, options) {
      calls.push({ call: 'unmount', target, detach: options?.detach === true })
    },
    overlay(plan) {
      const path = overlayPath(plan)
      calls.push({ call: 'overlay', plan, path })
      return {
        fd: -1,
        path,
        [Symbol.dispose]() {
          calls.push({ call: 'unmount', target: path, detach: true })
        },
      }
    },
  }
}
