/**
 * Makes the ground ready on which containers' cgroups are made: once per parent, synchronously, before the first container below it.
 *
 * Signature: prepareCgroupParent(layout: CgroupLayout, parent: string): string[]
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { inheritCpusetV1 } from './cpuset.ts'
import { locateCgroup, V2_CONTROLLERS, type CgroupLayout } from './layout.ts'

/** Where processes are moved that live in the root of a delegated tree; see `enableControllers`. */
const LEAF = 'gantry-init'

/** Moving processes races with their forks: each round moves what was there, new ones appear in what is left. */
const EVACUATION_ROUNDS = 10

/**
 * v1: the directories of `parent` in each hierarchy, cpusets filled along the path. v2: the directories, and the controllers handed down from
 * the root to `parent` (cgroup.subtree_control). A controller that cannot be handed down is left out: its limits then fail at the launch, or were
 * warned about by `cgroupSupport`. Idempotent. Gives the directories that were not there, parents first. Throws what mkdir throws.
 */
export function prepareCgroupParent(layout: CgroupLayout, parent: string): string[] {
  const location = locateCgroup(layout, { parent, id: '' })
  if (location.version === 2 && layout.version === 2) {
    const made = makeDirectories(location.directory)
    for (const directory of pathFrom(layout.root, location.directory)) enableControllers(directory, directory === layout.root)
    return made
  }
  if (location.version === 2 || layout.version === 2) return []
  // Hierarchies may be mounted together: one directory is several's then.
  const made = Object.values(location.directories).flatMap(makeDirectories)
  const { cpuset } = location.directories
  const mount = layout.mounts.cpuset
  if (cpuset === undefined || mount === undefined) return made
  for (const directory of pathFrom(mount, cpuset).slice(1)) inheritCpusetV1(directory, dirname(directory))
  return made
}

/** The ones of its path that were not there. */
function makeDirectories(directory: string): string[] {
  const first = mkdirSync(directory, { recursive: true })
  return first === undefined ? [] : pathFrom(first, directory)
}

/** `/a`, `/a/b`, `/a/b/c` for `/a` and `/a/b/c`. */
function pathFrom(root: string, directory: string): string[] {
  const path = [root]
  let current = root
  for (const name of relative(root, directory).split('/')) {
    if (name === '') continue
    current = join(current, name)
    path.push(current)
  }
  return path
}

/**
 * Hands the controllers of `directory` to its children. A cgroup that is not the real root may not have both processes and such children ("no
 * internal processes", cgroup-v2.rst). In a delegated tree (the daemon in a container with a cgroup namespace of its own) the daemon sits
 * in what looks like the root: then everything there moves to a leaf beside ours, as the init scripts of nested engines do. That comes first: once
 * cpu or cpuset, which tolerate internal processes, are on, the children are of a kind that nothing can be moved to.
 */
function enableControllers(directory: string, isRoot: boolean): void {
  const available = readFileSync(join(directory, 'cgroup.controllers'), 'utf8').trim().split(/\s+/)
  const enabled = readFileSync(join(directory, 'cgroup.subtree_control'), 'utf8').trim().split(/\s+/)
  const missing = V2_CONTROLLERS.filter((controller) => available.includes(controller) && !enabled.includes(controller))
  if (missing.length > 0 && isRoot && !isRealRoot(directory)) evacuate(directory)
  for (const controller of missing) {
    try {
      // One at a time: a controller that refuses (cpu with real-time processes about) must not take the others with it.
      writeFileSync(join(directory, 'cgroup.subtree_control'), `+${controller}`)
    } catch {
      // Left out, see `prepareCgroupParent`.
    }
  }
}

function evacuate(directory: string): void {
  const leaf = join(directory, LEAF)
  if (readFileSync(join(directory, 'cgroup.procs'), 'utf8') === '') return
  mkdirSync(leaf, { recursive: true })
  for (let round = 0; round < EVACUATION_ROUNDS; round += 1) {
    const pids = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)
    if (pids.length === 0) return
    for (const pid of pids) {
      try {
        writeFileSync(join(leaf, 'cgroup.procs'), pid)
      } catch {
        // Ended meanwhile, or a kernel thread; the next round tells.
      }
    }
  }
}

/** The real root has no cgroup.type. */
function isRealRoot(directory: string): boolean {
  return !existsSync(join(directory, 'cgroup.type'))
}
