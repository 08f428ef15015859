/** Contracts of `cdi/`: what specifications say, and what the engine asks of them. The manual is in `index.ts`. */

import type { RuntimeSpec } from '#oci'

/** One file, decoded and found valid. */
export interface CdiSpec {
  /** `vendor.com/class`. */
  readonly kind: string
  readonly annotations: Readonly<Record<string, string>>
  readonly devices: readonly { name: string; annotations: Readonly<Record<string, string>>; edits: ContainerEdits }[]
  /** Made once for a container that gets any of the devices. */
  readonly edits: ContainerEdits
}

/** What a device changes in a container. Paths are the host's unless said otherwise. */
export interface ContainerEdits {
  /** `NAME=value`. */
  readonly env: readonly string[]
  readonly deviceNodes: readonly DeviceNode[]
  readonly mounts: readonly CdiMount[]
  readonly hooks: readonly CdiHook[]
  readonly additionalGids: readonly number[]
  /** What is valid and Gantry cannot carry out: `intelRdt`, `netDevices`, `a startContainer hook`. */
  readonly unsupported: readonly string[]
}

export interface DeviceNode {
  /** In the container. */
  readonly path: string
  /** Where the host has it; empty: at the same path. */
  readonly hostPath: string
  /** Empty: as on the host. */
  readonly type: '' | 'b' | 'c' | 'u' | 'p'
  /** 0: as on the host. */
  readonly major: number
  readonly minor: number
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
  /** Of the device cgroup: some of `rwm`, `none`; empty: all. */
  readonly permissions: string
}

export interface CdiMount {
  readonly hostPath: string
  /** In the container. */
  readonly containerPath: string
  readonly options: readonly string[]
  readonly type: string
}

export interface CdiHook {
  readonly hookName: HookName
  readonly path: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  /** Seconds. */
  readonly timeout?: number
}

export const HOOK_NAMES = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const
export type HookName = (typeof HOOK_NAMES)[number]

/** A device that can be asked for. */
export interface CdiDevice {
  /** Qualified: `vendor.com/class=name`. */
  readonly name: string
  /** Those of its file, and its own, which count more. */
  readonly annotations: Readonly<Record<string, string>>
}

/** What is wrong with a file; `message` has the words of the reference library. */
export interface CdiProblem {
  readonly path: string
  readonly message: string
}

/** The devices of this machine. Files are looked at anew at each question, and read again when they have changed. */
export interface CdiRegistry {
  /** In the order of their precedence, the last one highest; empty: CDI is switched off. */
  readonly directories: readonly string[]
  /** By name; those that files contradict each other about are missing. */
  list(): Promise<CdiDevice[]>
  problems(): Promise<CdiProblem[]>
  /**
   * What these devices, which are qualified names, change in a container. Throws NOT_FOUND `unresolvable CDI devices …`, NOT_IMPLEMENTED for what Gantry
   * cannot carry out.
   */
  edits(names: readonly string[]): Promise<ContainerEdits[]>
  /** `spec` with the edits of the devices. Throws as `edits` and {@link applyEdits} do. */
  inject(spec: RuntimeSpec, names: readonly string[]): Promise<RuntimeSpec>
}
