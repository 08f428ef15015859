import type { CgroupControl } from '#containers'
import {
  createCgroupDevices,
  freezeCgroup,
  prepareCgroupParent,
  removeEmptyCgroups,
  thawCgroup,
  updateCgroup,
  type CgroupLayout,
} from '#kernel'

/** A cgroup that others are made in. */
interface Parent {
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

  /** Made ready once: the look for one that is known costs nothing at a start. */
  function parentOf(name: string): Parent {
    const known = parents.get(name)
    // One that could not be taken away whole lacks a part.
    const isWhole = known !== undefined && (known.users > 0 || known.made.length === 0)
    if (isWhole) return known
    const parent = { users: 0, made: [...(known?.made ?? []), ...prepareCgroupParent(layout, name)] }
    parents.set(name, parent)
    return parent
  }

  return {
    prepare(name, plan) {
      parentOf(name).users++
      devices.attach(plan)
    },
    release(name) {
      const released = parents.get(name)
      if (released !== undefined) released.users--
      // One within another goes first; the other has waited for it.
      for (const [path, parent] of [...parents].sort(([a], [b]) => b.length - a.length)) {
        if (parent.users > 0 || parent.made.length === 0) continue
        parent.made = removeEmptyCgroups(parent.made)
        if (parent.made.length === 0) parents.delete(path)
      }
    },
    freeze: freezeCgroup,
    thaw: thawCgroup,
    update: updateCgroup,
  }
}
