import { resolve } from 'node:path'
import { notFound, notImplemented } from '#errors'
import { AsyncMutex } from '#lib'
import { applyEdits } from './apply-edits.ts'
import { readDirectories, type SpecCache } from './read-directories.ts'
import type { CdiDevice, CdiProblem, CdiRegistry, CdiSpec, ContainerEdits } from './types.ts'

export interface CdiRegistryDeps {
  /** In the order of their precedence, the last one highest; empty: there are no devices. */
  directories: readonly string[]
  /** What is wrong with files, told when a device could not be found: one of them may have been meant to have it. */
  warn: (message: string, fields: Record<string, unknown>) => void
}

interface Found extends CdiDevice {
  readonly spec: CdiSpec
  readonly edits: ContainerEdits
  readonly path: string
  readonly priority: number
}

interface State {
  devices: ReadonlyMap<string, Found>
  problems: readonly CdiProblem[]
}

/** Reads nothing before the first question. */
export function createCdiRegistry({ directories: given, warn }: CdiRegistryDeps): CdiRegistry {
  const directories = given.map((directory) => resolve(directory))
  const cache: SpecCache = new Map()
  // One reader at a time: they share the cache.
  const mutex = new AsyncMutex()

  async function look(): Promise<State> {
    using _lock = await mutex.lock()
    return merge(await readDirectories(directories, cache))
  }

  async function edits(names: readonly string[]): Promise<ContainerEdits[]> {
    const { devices, problems } = await look()
    const unknown = names.filter((name) => !devices.has(name))
    if (unknown.length > 0) {
      for (const { path, message } of problems) warn('a CDI specification is not used', { path, error: message })
      throw notFound(`unresolvable CDI devices ${unknown.join(', ')}`)
    }
    return editsOf(names.flatMap((name) => devices.get(name) ?? []))
  }

  return {
    directories,
    async list() {
      const { devices } = await look()
      const byName = [...devices.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return byName.map(({ name, annotations }) => ({ name, annotations }))
    },
    problems: async () => [...(await look()).problems],
    edits,
    inject: async (spec, names) => applyEdits(spec, await edits(names)),
  }
}

/** Those of a file come before its first device's. */
function editsOf(devices: readonly Found[]): ContainerEdits[] {
  const seen = new Set<CdiSpec>()
  return devices.flatMap(({ name, spec, edits }) => {
    const all = seen.has(spec) ? [edits] : [spec.edits, edits]
    seen.add(spec)
    for (const { unsupported } of all)
      for (const member of unsupported) throw notImplemented(`CDI device ${name} needs ${member}, which is not implemented in Gantry yet`)
    return all
  })
}

/** Of two files in one directory with the same device neither counts, as nobody could say which; a later directory wins. */
function merge(files: Awaited<ReturnType<typeof readDirectories>>): State {
  const devices = new Map<string, Found>()
  const contested = new Set<string>()
  const problems: CdiProblem[] = []
  for (const { path, priority, result } of files) {
    if ('error' in result) {
      problems.push({ path, message: `failed to load CDI Spec ${result.error}` })
      continue
    }
    for (const device of devicesOf(result.spec)) {
      const other = devices.get(device.name)
      if (other?.priority === priority) {
        const message = `conflicting device ${JSON.stringify(device.name)} (specs ${JSON.stringify(path)}, ${JSON.stringify(other.path)})`
        problems.push({ path, message }, { path: other.path, message })
        contested.add(device.name)
      } else devices.set(device.name, { ...device, path, priority })
    }
  }
  for (const name of contested) devices.delete(name)
  return { devices, problems }
}

function devicesOf(spec: CdiSpec): Omit<Found, 'path' | 'priority'>[] {
  return spec.devices.map(({ name, annotations, edits }) => ({
    name: `${spec.kind}=${name}`,
    annotations: { ...spec.annotations, ...annotations },
    spec,
    edits,
  }))
}
