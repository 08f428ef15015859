import { statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defaultRules, type BuildSettings, type Entitlement } from '#build'
import type { BuilderOptions } from './config/builder-values.ts'

/** Steps mostly wait for disks and networks; fewer than this make a build of several stages slow on small machines. */
const MIN_RUN_STEPS = 4

/** What `builder` of daemon.json means on this machine. `dataRoot`: its disk is the measure of the default rules. */
export function buildSettings({ gc, entitlements, maxParallelism }: BuilderOptions, dataRoot: string): BuildSettings {
  const allowed: [boolean, Entitlement][] = [
    [entitlements.networkHost, 'network.host'],
    [entitlements.securityInsecure, 'security.insecure'],
    [entitlements.device, 'device'],
  ]
  return {
    entitlements: new Set(allowed.filter(([isAllowed]) => isAllowed).map(([, name]) => name)),
    maxRunSteps: maxParallelism || Math.max(MIN_RUN_STEPS, 2 * availableParallelism()),
    collectionRules: gc.enabled ? (gc.policy ?? defaultRules(gc, diskSpace(dataRoot).size)) : [],
  }
}

/** Bytes of the disk that a directory is on. */
export function diskSpace(directory: string): { size: number; free: number } {
  const { blocks, bavail, bsize } = statfsSync(directory)
  return { size: blocks * bsize, free: bavail * bsize }
}
