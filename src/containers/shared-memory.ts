import { mkdirSync } from 'node:fs'
import { SyscallError } from '#errors'
import type { Context } from './context.ts'
import type { Container } from './types.ts'

/** mount(2): MS_NOSUID, MS_NODEV, MS_NOEXEC. */
const MOUNT_FLAGS = 2 | 4 | 8

/**
 * The one mount Gantry makes on the host: /dev/shm of a container with `--ipc shareable`, which containers that join its IPC namespace mount
 * too; a mount of another mount namespace cannot be bound.
 */
export function mountSharedMemory(ctx: Context, { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>): void {
  if (hostConfig.ipcMode !== 'shareable') return
  const path = ctx.deps.paths.sharedMemory(id)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  unmountSharedMemory(ctx, { id, hostConfig })
  ctx.deps.mounts.mount('shm', path, 'tmpfs', MOUNT_FLAGS, `mode=1777,size=${hostConfig.shmSize}`)
}

/** Idempotent: after a crash it is not known whether it is mounted. */
export function unmountSharedMemory(ctx: Context, { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>): void {
  if (hostConfig.ipcMode !== 'shareable') return
  try {
    ctx.deps.mounts.unmount(ctx.deps.paths.sharedMemory(id), { detach: true })
  } catch (error) {
    if (!(error instanceof SyscallError && ['EINVAL', 'ENOENT'].includes(error.code))) throw error
  }
}
