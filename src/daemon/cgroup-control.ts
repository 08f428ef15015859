import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CgroupControl } from '#containers'
import {
  createCgroupDevices,
  directoriesOf,
  freezeCgroup,
  locateCgroup,
  prepareCgroupParent,
  removeEmptyCgroups,
  thawCgroup,
  updateCgroup,
  type CgroupLayout,
} from '#kernel'

/** A cgroup that others are made in. */
interface Parent {
  /** In all hierarchies. */
  directories: readonly string[]
  /** Launches whose cgroups are not gone. */
  users: number
  /** What it takes and was not there before, parents first. */
  made: string[]
}

/**
 * Cgroups of containers and steps. A parent that was made for them goes with the last of them, unless somebody else is in it by then. What a daemon before this one
 * has made stays.
 */
export function createCgroupControl(layout: CgroupLayout): CgroupControl {
  const parents = new Map<string, Parent>()
  const devices = createCgroupDevices()

  /** Made ready once. One that nothing is in may have been removed by somebody else, or in part by this. */
  function parentOf(name: string): Parent {
    const path = pathOf(name)
    const known = parents.get(path)
    if (known !== undefined && (known.users > 0 || known.directories.every((directory) => existsSync(directory)))) return known
    const directories = directoriesOf(locateCgroup(layout, { parent: path, id: '' }))
    const parent = { directories, users: 0, made: [...(known?.made ?? []), ...prepareCgroupParent(layout, path)] }
    parents.set(path, parent)
    return parent
  }

  /** Race: a parent is empty while the first launch in it is under way, and may have been made for one within it that ends now. */
  function isUsed(directory: string): boolean {
    return [...parents.values()].some(({ users, directories }) => users > 0 && directories.includes(directory))
  }

  return {
    prepare(name, plan) {
      parentOf(name).users++
      devices.attach(plan)
    },
    release(name) {
      const released = parents.get(pathOf(name))
      // One that failed to be made ready was not counted.
      if (released !== undefined && released.users > 0) released.users--
      // One within another goes first; the other has waited for it.
      for (const [path, parent] of [...parents].sort(([a], [b]) => b.length - a.length)) {
        if (parent.users > 0 || parent.made.length === 0) continue
        const used = parent.made.filter((directory) => isUsed(directory))
        parent.made = [...used, ...removeEmptyCgroups(parent.made.filter((directory) => !used.includes(directory)))]
        if (parent.made.length === 0) parents.delete(path)
      }
    },
    freeze: freezeCgroup,
    thaw: thawCgroup,
    update: updateCgroup,
  }
}

/** `a`, `/a` and `/a/` are one. */
function pathOf(name: string): string {
  return join('/', name, '.')
}
