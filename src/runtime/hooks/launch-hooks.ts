/**
 * Hooks of the runtime specification, at the moments that it gives them (runtime.md, "Lifecycle"). Run by the daemon: those of the host as they are,
 * `createContainer` in the namespaces of the process that waits for its start and has not entered its root yet.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { internal, notImplemented } from '#errors'
import type { HooksSpec, HookSpec, RuntimeSpec } from '#oci'
import { LaunchError, type LaunchSpec } from '../types.ts'
import { runHook, type HookProgram } from './run-hook.ts'

/** In a task's directory: what is to be run when the container is gone, by whichever daemon sees that. */
const POSTSTOP_RECORD = 'poststop.json'

type Launch = Pick<LaunchSpec, 'id' | 'stateDir' | 'spec' | 'bundle'>

/** What hooks are told on their standard input. Source: runtime.md, "State". */
interface OciState {
  ociVersion: string
  id: string
  status: 'creating' | 'running' | 'stopped'
  pid?: number
  bundle: string
  annotations: Record<string, string>
}

interface PoststopRecord {
  hooks: HookSpec[]
  state: OciState
}

/** Whether the process has to wait for its hooks before it enters its root. */
export function hasCreateHooks({ hooks }: Pick<RuntimeSpec, 'hooks'>): boolean {
  return [hooks?.prestart, hooks?.createRuntime, hooks?.createContainer].some((list) => (list ?? []).length > 0)
}

/**
 * Before anything is launched: the bundle's config.json, and the record of what comes last. Throws NOT_IMPLEMENTED for hooks that would run a program of
 * the container.
 */
export function prepareHooks(launch: Launch): void {
  const { spec, stateDir } = launch
  if (spec.hooks === undefined) return
  if ((spec.hooks.startContainer ?? []).length > 0) throw notImplemented('startContainer hooks are not implemented in Gantry yet')
  const bundle = bundleOf(launch)
  mkdirSync(bundle, { recursive: true, mode: 0o700 })
  // Where the container's own mount namespace has its root.
  const config = { ...spec, root: { ...spec.root, path: stateDir } }
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
  const hooks = spec.hooks.poststop ?? []
  if (hooks.length === 0) return
  const record: PoststopRecord = { hooks, state: stateOf(launch, 'stopped') }
  writeFileSync(join(stateDir, POSTSTOP_RECORD), JSON.stringify(record), { mode: 0o600 })
}

/** `pid`: of the process that waits. `binary`: the C program, which enters namespaces. Throws {@link LaunchError} for the first hook that fails. */
export async function runCreateHooks(launch: Launch, pid: number, binary: string): Promise<void> {
  const { hooks = {} } = launch.spec
  const state = { ...stateOf(launch, 'creating'), pid }
  const host: HookProgram = { through: [], cwd: bundleOf(launch) }
  await runAll('prestart', hooks, state, host)
  await runAll('createRuntime', hooks, state, host)
  if ((hooks.createContainer ?? []).length === 0) return
  const inside: HookProgram = { through: [binary, 'inside', String(pid)], cwd: '/' }
  await runAll('createContainer', hooks, { ...state, pid: pidInside(pid) }, inside)
}

/** After the program has begun; a failure does not change that, and is told to `warn`. */
export async function runPoststartHooks(launch: Launch, pid: number, warn: (error: unknown) => void): Promise<void> {
  const state = { ...stateOf(launch, 'running'), pid }
  await runAll('poststart', launch.spec.hooks ?? {}, state, { through: [], cwd: bundleOf(launch) }).catch(warn)
}

/** Once, when the container of this directory is gone; one that has no such hooks has no record. */
export async function runPoststopHooks(stateDir: string, warn: (error: unknown) => void): Promise<void> {
  const path = join(stateDir, POSTSTOP_RECORD)
  let record: PoststopRecord
  try {
    record = JSON.parse(readFileSync(path, 'utf8')) as PoststopRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') warn(error)
    return
  }
  rmSync(path)
  // Each has its turn, whatever became of the one before.
  for (const hook of record.hooks) await runAll('poststop', { poststop: [hook] }, record.state, { through: [], cwd: '/' }).catch(warn)
}

async function runAll(name: keyof HooksSpec, hooks: HooksSpec, state: OciState, program: HookProgram): Promise<void> {
  for (const [index, hook] of (hooks[name] ?? []).entries()) {
    try {
      await runHook(hook, JSON.stringify(state), program)
    } catch (error) {
      const text = `error running ${name} hook #${index}: ${(error as Error).message}`
      throw new LaunchError('hook', hook.path, 0, 'EHOOK', text)
    }
  }
}

function stateOf(launch: Launch, status: OciState['status']): OciState {
  const { id, spec } = launch
  return { ociVersion: spec.ociVersion, id, status, bundle: bundleOf(launch), annotations: spec.annotations ?? {} }
}

function bundleOf({ bundle, id }: Launch): string {
  if (bundle === undefined) throw internal(`task ${id} has hooks and no bundle`)
  return bundle
}

/** As the container sees it. Source: proc_pid_status(5), NSpid. */
function pidInside(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1] ?? pid)
}
