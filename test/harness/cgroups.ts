import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

/** The cgroup called `parent` below the root, and those below it, in all hierarchies; children first. Ones that go meanwhile may be among them. */
export function cgroupsOf(parent: string): string[] {
  return [ROOT, ...directoriesIn(ROOT)]
    .map((hierarchy) => join(hierarchy, parent))
    .filter((path) => existsSync(path))
    .flatMap((path) => [...directoriesBelow(path), path])
}

/** Removes them all; one that still has processes stays. */
export function removeCgroups(parent: string): void {
  for (const path of cgroupsOf(parent)) {
    try {
      rmdirSync(path)
    } catch {
      // In use, or gone by itself.
    }
  }
}

function directoriesBelow(path: string): string[] {
  return directoriesIn(path).flatMap((child) => [...directoriesBelow(child), child])
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))
  } catch {
    return [] // it has gone
  }
}
